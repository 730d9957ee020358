"""Webhook bodies become typed facts. Tolerant: what is unknown or broken is counted and never keeps the rest back."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

from core.domain.contacts import LONGEST_USER_ID
from core.domain.interactions import Inbound
from core.domain.messages import ReceiptState
from core.domain.numbering import settled
from core.domain.optout import Preference
from core.domain.receipts import Price, Receipt
from core.whatsapp.announced import keys_nobody_knows
from core.whatsapp.bodies import OURS, UnreadableBody, Walk, read_body, walk
from core.whatsapp.identity_changes import IdentityChange, notice_of, read_identity_change, read_user_id_update
from core.whatsapp.inbound import read_inbound, strange_keys, strangeness
from core.whatsapp.mentions import OF_PARTICIPANT, keys_beside, mentioned, named_beside
from core.whatsapp.named import named_in
from core.whatsapp.payloads import parse_callback_data
from core.whatsapp.webhook_fields import (
    REDACTED,
    Unreadable,
    card_user_ids,
    instant,
    integer,
    items,
    mapping,
    person_of,
    required,
    text,
)

__all__ = ["AccountEvent", "TemplateEvent", "UnreadableBody", "Webhook", "parse"]

_STATES: Final = MappingProxyType(
    {
        "sent": ReceiptState.SENT,
        "delivered": ReceiptState.DELIVERED,
        "read": ReceiptState.READ,
        "played": ReceiptState.READ,
        "failed": ReceiptState.FAILED,
    }
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_ .-]{0,63}|\d{1,6}")
_PRICE_CATEGORY: Final = re.compile(r"[a-z][a-z_-]*")
_LONGEST_CATEGORY: Final = 64
_REGULAR: Final = "regular"  # all other types of a price are free
_OF_MESSAGE: Final = "message"
_LONGEST_TITLE: Final = 500
# How far WhatsApp's clock may be ahead of ours.
_AHEAD: Final = timedelta(hours=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_LEGACY_STATES: Final = frozenset({"deleted", "warning"})
_OF_MESSAGES: Final = OURS | {"contacts", "messages", "statuses", "errors", REDACTED}
_CONSENTS: Final = MappingProxyType({"stop": "OPTED_OUT", "resume": "OPTED_IN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEvent:
    """Holds one change WhatsApp made to a template; `topic` is the field that told it, `event` is upper case."""

    topic: str
    whatsapp_account_id: str = ""
    whatsapp_template_id: str
    event: str
    reason: str = ""
    event_time: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent:
    """Holds one change of the account or of one of its numbers."""

    topic: str
    whatsapp_account_id: str
    event: str
    phone_number: str = field(default="", repr=False)
    event_time: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Marks something the body holds and this version does not know or cannot read."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """Holds what names people in a receipt, or beside one, besides the person its message is known to have gone to."""

    about: frozenset[str] = field(repr=False)


T = TypeVar("T")
Fact = Receipt | Inbound | Preference | IdentityChange | TemplateEvent | AccountEvent | Unknown | Mentioned


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Holds all that one body tells, by kind.

    `unknown` counts what was not understood; `mentioned` identifies whom it names beside the receipts that were.
    """

    receipts: tuple[Receipt, ...] = ()
    inbounds: tuple[Inbound, ...] = ()
    preferences: tuple[Preference, ...] = ()
    identity_changes: tuple[IdentityChange, ...] = ()
    template_events: tuple[TemplateEvent, ...] = ()
    account_events: tuple[AccountEvent, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    mentioned: frozenset[str] = field(default=frozenset(), repr=False)


def parse(body: bytes, *, received: datetime = _LAST) -> Webhook:
    """Reads one body; raises UnreadableBody when it is no JSON object.

    What says it happened after it was received is taken to have happened then.
    """
    walked = walk(read_body(body))
    facts = list(_dated(_facts(walked), received))
    return Webhook(
        receipts=tuple(fact for fact in facts if isinstance(fact, Receipt)),
        inbounds=tuple(fact for fact in facts if isinstance(fact, Inbound)),
        preferences=tuple(fact for fact in facts if isinstance(fact, Preference)),
        identity_changes=tuple(fact for fact in facts if isinstance(fact, IdentityChange)),
        template_events=tuple(fact for fact in facts if isinstance(fact, TemplateEvent)),
        account_events=tuple(fact for fact in facts if isinstance(fact, AccountEvent)),
        unknown=Counter(fact.what for fact in facts if isinstance(fact, Unknown)),
        mentioned=mentioned(walked).union(*(fact.about for fact in facts if isinstance(fact, Mentioned))),
    )


def _facts(walked: Walk) -> Iterator[Fact]:
    for topic, change, entry in walked.changes:
        read = _TOPICS.get(topic)
        if read is None:
            yield _unknown("field", topic)
        else:
            yield from read(mapping(change, "value"), entry, topic)
    yield from (_unknown("key", key) for _, key in walked.loose_ends)


def _dated(facts: Iterator[Fact], received: datetime) -> Iterator[Fact]:
    """A time to come would be the newest for years, wherever the newest is asked for; the fact itself is signed."""
    for fact in facts:
        believed = _believed(fact, received)
        yield believed
        if believed is not fact:
            yield Unknown(what="future timestamp")


def _believed(fact: Fact, received: datetime) -> Fact:
    match fact:
        case Receipt(receipt_time=time) if time - received > _AHEAD:
            return replace(fact, receipt_time=received)
        case Inbound(interaction_time=time) if time - received > _AHEAD:
            return replace(fact, interaction_time=received)
        case Preference(event_time=time) | IdentityChange(event_time=time) if time - received > _AHEAD:
            return replace(fact, event_time=received)
        case TemplateEvent(event_time=time) | AccountEvent(event_time=time) if time and time - received > _AHEAD:
            return replace(fact, event_time=received)
    return fact


def _messages(value: Mapping[str, Any], _entry: Mapping[str, Any], topic: str) -> Iterator[Fact]:
    strange = []
    user_ids = card_user_ids(value) if "statuses" in value else {}
    for receipt in items(value, "statuses"):
        read = _safely(_receipt, receipt, user_ids)
        yield read
        if isinstance(read, Unknown):
            strange.append(receipt)
        elif beside := keys_beside(receipt):
            yield Mentioned(about=named_beside(receipt, beside))
            yield from (_unknown("receipt key", key) for key in sorted(beside - OF_PARTICIPANT))
    if strange:
        yield Mentioned(about=frozenset(named_in([strange, value.get("contacts")])))
    for message in items(value, "messages"):
        yield from _message(message, value)
    yield from (_unknown("error", str(integer(error, "code"))) for error in items(value, "errors"))
    if not value.keys() <= _OF_MESSAGES:
        yield from (_unknown(topic, key) for key in sorted(value.keys() - _OF_MESSAGES))


def _standby(value: Mapping[str, Any], entry: Mapping[str, Any], topic: str) -> Iterator[Fact]:
    """Reads the news of a conversation that another app answers: like any other, one level deeper."""
    told = {**value, **mapping(value, "standby")}
    told.pop("standby", None)
    yield from _messages(told, entry, topic)


def _message(message: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Fact]:
    read = _safely(read_inbound, message, value)
    if not isinstance(read, Inbound):
        yield read
        return
    change = _safely(read_identity_change, message, value)
    if change is not None:
        yield change
    yield replace(read, person=change.before) if isinstance(change, IdentityChange) else read
    if strange := strangeness(message):
        yield _unknown("message", strange)
    else:
        yield from (_unknown("message key", key) for key in strange_keys(message))


def _receipt(told: Mapping[str, Any], user_ids: Mapping[str, str]) -> Fact:
    word = text(told, "status").lower()
    of = text(told, "type") or _OF_MESSAGE
    if of != _OF_MESSAGE:
        # A payment, for example: the message in which it was asked for has receipts of its own.
        return _unknown("receipt", of)
    if word not in _STATES:
        return _unknown("legacy receipt", "") if word in _LEGACY_STATES else _unknown("receipt", word)
    error = next(items(told, "errors"), None)
    digits = settled(text(told, "recipient_id").removeprefix("+"))
    user_id = text(told, "recipient_user_id") or user_ids.get(digits, "")
    return Receipt(
        whatsapp_message_id=required(told, "id"),
        state=_STATES[word],
        receipt_time=instant(told, "timestamp"),
        reference=parse_callback_data(text(told, "biz_opaque_callback_data")),
        error_code=integer(error, "code") if error else 0,
        error_title=_title(error) if error else "",
        recipients=tuple(filter(None, (digits, user_id))),
        whatsapp_user_id=user_id if len(user_id) <= LONGEST_USER_ID else "",
        price=_price(told) if "pricing" in told else None,
    )


def _title(error: Mapping[str, Any]) -> str:
    """Returns WhatsApp's words for a failure, with what it says of this very message where that is more."""
    title, details = text(error, "title") or text(error, "message"), text(mapping(error, "error_data"), "details")
    return (title if details in title else f"{title} ({details})" if title else details)[:_LONGEST_TITLE]


def _price(told: Mapping[str, Any]) -> Price | None:
    pricing = told["pricing"]
    category = pricing.get("category") if isinstance(pricing, dict) else None
    if not isinstance(category, str) or len(category) > _LONGEST_CATEGORY:
        return None
    is_billable = pricing["billable"] is True if "billable" in pricing else pricing.get("type") == _REGULAR
    return _priced(is_billable, category.lower())


@lru_cache(maxsize=64)
def _priced(is_billable: bool, category: str) -> Price | None:  # noqa: FBT001  # a key of the cache
    """Reads a price once: there are a handful of them, in two of three receipts."""
    return Price(is_billable=is_billable, category=category) if _PRICE_CATEGORY.fullmatch(category) else None


def _user_id_updates(value: Mapping[str, Any], _entry: Mapping[str, Any], topic: str) -> Iterator[Fact]:
    if not isinstance(value.get(topic), list):
        yield _unknown("unreadable", topic)
    for told in items(value, topic):
        change = _safely(read_user_id_update, told, value)
        yield change
        if isinstance(change, IdentityChange):
            yield notice_of(change, value)
    yield from (_unknown(topic, key) for key in sorted(value.keys() - OURS - {topic, "contacts", REDACTED}))


def _preferences(value: Mapping[str, Any], _entry: Mapping[str, Any], _topic: str) -> Iterator[Fact]:
    for preference in items(value, "user_preferences"):
        yield _safely(_preference, preference, value)


def _preference(told: Mapping[str, Any], value: Mapping[str, Any]) -> Fact:
    consent = _CONSENTS.get(text(told, "value").lower())
    if consent is None:
        return _unknown("preference", text(told, "value"))
    return Preference(
        person=person_of(value, phone=text(told, "wa_id"), user_id=text(told, "user_id")),
        phone_number_id=text(mapping(value, "metadata"), "phone_number_id"),
        consent=consent,
        event_time=instant(told, "timestamp"),
    )


def _template(value: Mapping[str, Any], entry: Mapping[str, Any], topic: str) -> Iterator[Fact]:
    yield TemplateEvent(
        topic=topic,
        whatsapp_account_id=text(entry, "id"),
        whatsapp_template_id=text(value, "message_template_id"),
        event=(text(value, "event") or text(value, "new_quality_score") or text(value, "new_category")).upper(),
        reason=text(value, "reason"),
        event_time=_time_of(entry),
        details=value,
    )
    yield from (_unknown(topic, key) for key in keys_nobody_knows(value))


def _account(value: Mapping[str, Any], entry: Mapping[str, Any], topic: str) -> Iterator[Fact]:
    yield AccountEvent(
        topic=topic,
        whatsapp_account_id=text(entry, "id"),
        event=text(value, "event").upper(),
        phone_number=text(value, "display_phone_number"),
        event_time=_time_of(entry),
        details=value,
    )
    yield from (_unknown(topic, key) for key in keys_nobody_knows(value))


def _time_of(entry: Mapping[str, Any]) -> datetime | None:
    try:
        return instant(entry, "time")
    except Unreadable:
        return None


def _safely(
    read: Callable[[Mapping[str, Any], Mapping[str, Any]], T], told: Mapping[str, Any], value: Mapping[str, Any]
) -> T | Unknown:
    """Reads one item; one that lacks what it cannot do without is counted."""
    try:
        return read(told, value)
    except Unreadable as error:
        return _unknown("unreadable", str(error))


def _unknown(kind: str, name: str) -> Unknown:
    """Names what is not known; a name that does not look like one of WhatsApp's may hold anything, and is not kept."""
    named = name if _NAME.fullmatch(name) else "?" if name else ""
    return Unknown(what=f"{kind} {named}".strip())


_TOPICS: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], str], Iterator[Fact]]]] = MappingProxyType(
    {
        "messages": _messages,
        "standby": _standby,
        "user_preferences": _preferences,
        "user_id_update": _user_id_updates,
        "message_template_status_update": _template,
        "message_template_quality_update": _template,
        "message_template_components_update": _template,
        "template_category_update": _template,
        "account_alerts": _account,
        "account_review_update": _account,
        "account_update": _account,
        "business_capability_update": _account,
        "phone_number_name_update": _account,
        "phone_number_quality_update": _account,
        "security": _account,
    }
)
