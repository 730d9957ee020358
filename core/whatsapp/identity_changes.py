"""A person's new number or new WhatsApp id, as WhatsApp's system messages tell it under several names."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.domain.contacts import LONGEST_USER_ID
from core.domain.interactions import Person
from core.whatsapp.inbound import sender_of
from core.whatsapp.webhook_fields import instant, mapping, person_of, phone_number, required, text

_CHANGES: Final = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityChange:
    """Says that someone is reached otherwise from a moment on; what `after` leaves empty was not told."""

    before: Person
    after: Person
    event_time: datetime
    whatsapp_message_id: str


def read_identity_change(message: Mapping[str, Any], value: Mapping[str, Any]) -> IdentityChange | None:
    """Reads one element of `messages`; None when it tells of no change. Raises Unreadable without id or time."""
    system = mapping(message, "system")
    if text(message, "type") != "system" or text(system, "type") not in _CHANGES:
        return None
    old_user_id = text(message, "from_user_id") or text(system, "previous_user_id")
    before = person_of(value, phone=sender_of(message), user_id=old_user_id)
    after = Person(
        phone_number=phone_number(text(system, "wa_id") or text(system, "new_wa_id")),
        whatsapp_user_id=text(system, "user_id")[:LONGEST_USER_ID],
    )
    if not (before.phone_number or before.whatsapp_user_id):
        # Only the id is new: the number says who it is.
        before = Person(phone_number=after.phone_number)
    if not before.phone_number and not before.whatsapp_user_id:
        return None
    if not (after.phone_number or after.whatsapp_user_id):
        return None
    return IdentityChange(
        before=before,
        after=after,
        event_time=instant(message, "timestamp"),
        whatsapp_message_id=required(message, "id"),
    )
