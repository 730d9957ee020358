"""Messages in the words of the contract, with the contacts they went to."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from chappe.v1 import messages_pb2

from core.domain.contacts import Contact
from core.domain.message_lists import Message
from core.domain.messages import MessageState
from core.whatsapp.errors import words
from server.wire import contacts, names, times

_Message = messages_pb2.Message
_STATES: Final = {state: _Message.State.Value(f"STATE_{state}") for state in MessageState}
_PENDING: Final = MessageState.PENDING
# The last fields of a message; the contract calls them the same. Most of them are not known yet or never will be.
_MOMENTS: Final = Message._fields[Message._fields.index("doubt_time") :]


def message(written: Message, contact: Contact | None) -> messages_pb2.Message:
    """Writes a message with the contact it went to, if the person was not erased."""
    return _Message(**_message_fields(written, contact))


def messages(written: Iterable[Message], addressees: Mapping[UUID, Contact]) -> Iterator[Any]:
    """Writes messages, each with its contact from those given, as mappings like those of ``contacts.contacts``."""
    for each in written:
        yield _message_fields(each, addressees.get(each.contact_id) if each.contact_id else None)


def read_state(value: messages_pb2.Message.State.ValueType) -> MessageState | None:
    """Reads a filter by state; none given means any."""
    return MessageState(_Message.State.Name(value).removeprefix("STATE_")) if value else None


def _message_fields(written: Message, contact: Contact | None) -> dict[str, Any]:
    # Taken apart at once: asking a tuple for each of its fields by name takes several times as long.
    (
        campaign_id, message_id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, *moments,
    ) = written  # fmt: skip
    detail = contacts.contact_fields(contact) if contact else None
    fields: dict[str, Any] = {
        "name": names.message_name(campaign_id, message_id),
        "contact": detail["name"] if detail else _contact_name(contact_id),
        "contact_detail": detail,
        "sender": names.sender_name(sender_id),
        "template": names.template_name(template_id) if template_id else None,
        "state": _STATES[state],
        "reason": reason or None,
        "error_code": error_code or None,
        "error_title": error_title or (words(error_code) if error_code else None),
        "attempt": attempt or None,
        "retry_count": retry_count or None,
        "whatsapp_message_id": whatsapp_message_id,
        "not_before_time": times.timestamp_fields(not_before_time) if state is _PENDING else None,
    }
    for name, moment in zip(_MOMENTS, moments, strict=True):
        if moment is not None:
            fields[name] = times.timestamp_fields(moment)
    return fields


def _contact_name(contact_id: UUID | None) -> str | None:
    return names.contact_name(contact_id) if contact_id else None
