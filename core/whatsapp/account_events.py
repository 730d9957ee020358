"""What events about accounts mean for sending: one may not send, or may again; a number is unflagged, or faster."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.whatsapp.webhook_fields import Unreadable, instant, items, mapping, text
from core.whatsapp.webhooks import AccountEvent

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_FREED: Final = frozenset({"ACCOUNT_RECONNECTED", "ACCOUNT_REINSTATED"})
_BLOCKED: Final = frozenset({"ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED"})
# The one restriction that stops templates; others forbid to add numbers, or to answer.
_STOPS_TEMPLATES: Final = "BIZ_INITIATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """Says that an account may not send, until a time if one is known, or that it may again."""

    whatsapp_account_id: str
    is_blocked: bool
    until: datetime | None = None


def account_changes(events: Iterable[AccountEvent]) -> list[AccountChange]:
    """Returns what the events change for sending; of several about one account the one that happened last counts."""
    latest: dict[str, AccountChange] = {}
    for event in sorted(events, key=lambda event: event.event_time or _LONG_AGO):
        change = _change(event) if event.topic == "account_update" else None
        if change is not None:
            latest[change.whatsapp_account_id] = change
    return list(latest.values())


def unflagged_numbers(events: Iterable[AccountEvent]) -> list[tuple[str, str]]:
    """Returns the numbers that are no longer flagged, as account and digits."""
    return _numbers(events, "UNFLAGGED")


def upgraded_numbers(events: Iterable[AccountEvent]) -> list[tuple[str, str]]:
    """Returns the numbers that may send more a second from now on, as account and digits."""
    return _numbers(events, "THROUGHPUT_UPGRADE")


def _numbers(events: Iterable[AccountEvent], word: str) -> list[tuple[str, str]]:
    return [
        (event.whatsapp_account_id, "".join(filter(str.isdigit, event.phone_number)))
        for event in events
        if event.topic == "phone_number_quality_update" and event.event == word
    ]


def _change(event: AccountEvent) -> AccountChange | None:
    account = event.whatsapp_account_id
    if event.event == "ACCOUNT_RESTRICTION":
        return _restriction(event)
    if event.event == "DISABLED_UPDATE":
        state = text(mapping(event.details, "ban_info"), "waba_ban_state").upper()
        return AccountChange(whatsapp_account_id=account, is_blocked=state == "DISABLE") if state in _BANS else None
    if event.event in _FREED or event.event in _BLOCKED:
        return AccountChange(whatsapp_account_id=account, is_blocked=event.event in _BLOCKED)
    return None


_BANS: Final = frozenset({"DISABLE", "REINSTATE"})


def _restriction(event: AccountEvent) -> AccountChange | None:
    """Reads a restriction; one that lists none has been lifted."""
    told = list(items(event.details, "restriction_info"))
    stopping = [one for one in told if _STOPS_TEMPLATES in text(one, "restriction_type").upper()]
    if told and not stopping:
        return None
    ends = [end for one in stopping if (end := _end(one)) is not None]
    until = max(ends) if len(ends) == len(stopping) and ends else None
    return AccountChange(whatsapp_account_id=event.whatsapp_account_id, is_blocked=bool(stopping), until=until)


def _end(restriction: object) -> datetime | None:
    try:
        return instant(restriction, "expiration")
    except Unreadable:
        return None
