"""A person's new number or new WhatsApp id, as WhatsApp tells it: in system messages, and under `user_id_update`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from core.domain.contacts import LONGEST_USER_ID
from core.domain.interactions import Inbound, InteractionKind, Person
from core.whatsapp.inbound import sender_of
from core.whatsapp.webhook_fields import Unreadable, instant, mapping, person_of, phone_number, required, text

_NEW_ID: Final = "user_changed_user_id"
_CHANGES: Final = frozenset({"user_changed_number", "customer_changed_number", _NEW_ID})
_UPDATE: Final = "user_id_update."
# A name stands before these words, and may hold them as well: only the last of them are WhatsApp's.
_SENTENCE: Final = re.compile(r".*\bchanged from ([A-Z]{2}\.[\w.]+) to ([A-Z]{2}\.[\w.]*\w)\W*", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """Says that someone is reached otherwise from a moment on; what `after` leaves empty was not told.

    `whatsapp_message_id` is of the notice that tells it, which is kept once; one under `user_id_update` has none of
    WhatsApp's, and gets one made of what it says.
    """

    before: Person
    after: Person
    event_time: datetime
    whatsapp_message_id: str

    @property
    def is_nameless(self) -> bool:
        """Whether the id of the notice is ours, so that its body does not hold it."""
        return self.whatsapp_message_id.startswith(_UPDATE)


def read_identity_change(message: Mapping[str, Any], value: Mapping[str, Any]) -> IdentityChange | None:
    """Reads one element of `messages`; None when it tells of no change.

    Raises Unreadable without id or time, and when it tells of a change without saying whose, or what is new.
    """
    system = mapping(message, "system")
    type_ = text(system, "type")
    if text(message, "type") != "system" or type_ not in _CHANGES:
        return None
    after = Person(
        phone_number=phone_number(text(system, "wa_id") or text(system, "new_wa_id")),
        whatsapp_user_id=text(system, "user_id")[:LONGEST_USER_ID],
    )
    # Where it does not say whom it is about, only the id is new: the number says who it is.
    phone = sender_of(message) or after.phone_number
    before = person_of(value, phone=phone, user_id=_old_user_id(message, system))
    knows_whom = before.phone_number or before.whatsapp_user_id
    if not knows_whom or not (after.phone_number or after.whatsapp_user_id) or _is_same(before, after):
        raise Unreadable(f"system {type_}")
    return IdentityChange(
        before=before,
        after=after,
        event_time=instant(message, "timestamp"),
        whatsapp_message_id=required(message, "id"),
    )


def read_user_id_update(told: Mapping[str, Any], value: Mapping[str, Any]) -> IdentityChange:
    """Reads one element of `user_id_update`; raises Unreadable without new id, time, person, or number of ours."""
    ids = mapping(told, "user_id")
    phone = phone_number(text(told, "wa_id"))
    old, new = text(ids, "previous")[:LONGEST_USER_ID], text(ids, "current")[:LONGEST_USER_ID]
    if not new or not (old or phone):
        raise Unreadable("user_id_update")
    required(mapping(value, "metadata"), "phone_number_id")
    at = instant(told, "timestamp")
    evidence = sha256("\n".join((phone, old, new, at.isoformat())).encode("utf-8", "replace")).hexdigest()
    return IdentityChange(
        before=Person(phone_number=phone, whatsapp_user_id=old),
        after=Person(phone_number=phone, whatsapp_user_id=new),
        event_time=at,
        whatsapp_message_id=_UPDATE + evidence,
    )


def notice_of(change: IdentityChange, value: Mapping[str, Any]) -> Inbound:
    """Returns the notice as which a change is kept that no message tells."""
    return Inbound(
        whatsapp_message_id=change.whatsapp_message_id,
        phone_number_id=text(mapping(value, "metadata"), "phone_number_id"),
        person=change.before,
        kind=InteractionKind.OTHER,
        interaction_time=change.event_time,
        payload={"type": _NEW_ID},
        is_notice=True,
    )


def _old_user_id(message: Mapping[str, Any], system: Mapping[str, Any]) -> str:
    """Returns the id someone had; the message may be from the new one, and tell the old one in its words alone."""
    new = text(system, "user_id")
    told = text(system, "previous_user_id") or text(message, "from_user_id")
    if told and told != new:
        return told
    found = _SENTENCE.fullmatch(text(system, "body"))
    return found[1] if found and found[2] == new != found[1] else ""


def _is_same(before: Person, after: Person) -> bool:
    """Tells whether nothing is new but an id that may be known already: then the person has to be told by number."""
    return not before.phone_number and not after.phone_number and before.whatsapp_user_id == after.whatsapp_user_id
