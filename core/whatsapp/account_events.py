"""What events about accounts mean for sending: one may not send, or may again; a number is unflagged, or changed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from core.whatsapp.webhook_fields import Unreadable, instant, items, mapping, text
from core.whatsapp.webhooks import AccountEvent

_NUMBER_TOPIC: Final = "phone_number_quality_update"
_LIMIT_TOPIC: Final = "business_capability_update"
_FLAGS: Final = frozenset({"FLAGGED", "UNFLAGGED"})
# Words of events and, where an event has one, of its ban.
_FREED: Final = frozenset({"ACCOUNT_RECONNECTED", "ACCOUNT_REINSTATED", "REINSTATE"})
_BLOCKED: Final = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "DISABLE"})
# The one restriction that stops templates; others forbid to add numbers, or to answer.
_STOPS_TEMPLATES: Final = "BIZ_INITIATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """Says that an account may not send, until a time if one is known, or that it may again.

    With `digits` it is about a number of the account alone: it is flagged, or no longer.
    """

    whatsapp_account_id: str
    is_blocked: bool
    event_time: datetime
    until: datetime | None = None
    digits: str = field(default="", repr=False)


def account_changes(events: Iterable[AccountEvent], *, now: datetime) -> list[AccountChange]:
    """Returns what the events change for sending; of several about one account or number the last to happen counts.

    An event without a time happens now; of two in the same second the end counts.
    """
    changes = [change for event in events if (change := _change(event, at=event.event_time or now)) is not None]
    changes.sort(key=lambda change: (change.event_time, not change.is_blocked))
    return list({(change.whatsapp_account_id, change.digits): change for change in changes}.values())


def changed_numbers(events: Iterable[AccountEvent]) -> list[tuple[str, str]]:
    """Returns the numbers whose quality, pace or limit is another now, as account and digits; no digits: all it has."""
    return [
        (event.whatsapp_account_id, _digits(event) if event.topic == _NUMBER_TOPIC else "")
        for event in events
        if (event.topic == _NUMBER_TOPIC and _digits(event)) or event.topic == _LIMIT_TOPIC
    ]


def _digits(event: AccountEvent) -> str:
    return "".join(filter(str.isdigit, event.phone_number))


def _change(event: AccountEvent, *, at: datetime) -> AccountChange | None:
    account, word = event.whatsapp_account_id, event.event
    if event.topic == _NUMBER_TOPIC and word in _FLAGS and (digits := _digits(event)):
        return AccountChange(whatsapp_account_id=account, digits=digits, is_blocked=word == "FLAGGED", event_time=at)
    if event.topic != "account_update":
        return None
    if word == "ACCOUNT_RESTRICTION":
        return _restriction(event, at=at)
    if word == "DISABLED_UPDATE":
        word = text(mapping(event.details, "ban_info"), "waba_ban_state").upper()
    if word not in _FREED and word not in _BLOCKED:
        return None
    return AccountChange(whatsapp_account_id=account, is_blocked=word in _BLOCKED, event_time=at)


def _restriction(event: AccountEvent, *, at: datetime) -> AccountChange | None:
    """Reads a restriction; one that lists none has been lifted."""
    told = list(items(event.details, "restriction_info"))
    stopping = [one for one in told if _STOPS_TEMPLATES in text(one, "restriction_type").upper()]
    if told and not stopping:
        return None
    ends = [end for one in stopping if (end := _end(one)) is not None]
    until = max(ends) if len(ends) == len(stopping) and ends else None
    return AccountChange(
        whatsapp_account_id=event.whatsapp_account_id, is_blocked=bool(stopping), event_time=at, until=until
    )


def _end(restriction: object) -> datetime | None:
    try:
        return instant(restriction, "expiration")
    except Unreadable:
        return None
