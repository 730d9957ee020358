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


def message(written: Message, contact: Contact | None) -> messages_pb2.Message:
    """Writes a message with the contact it went to, if the person was not erased."""
    return _Message(**_message_fields(written, contact, times.Moments(), times.Moments()))


def messages(written: Iterable[Message], addressees: Mapping[UUID, Contact]) -> Iterator[Any]:
    """Writes messages, each with its contact from those given, as mappings like those of ``contacts.contacts``."""
    planned, of_contacts = times.Moments(), times.Moments()
    for each in written:
        contact = addressees.get(each.contact_id) if each.contact_id else None
        yield _message_fields(each, contact, planned, of_contacts)


def read_state(value: messages_pb2.Message.State.ValueType) -> MessageState | None:
    """Reads a filter by state; none given means any."""
    return MessageState(_Message.State.Name(value).removeprefix("STATE_")) if value else None


def _message_fields(
    written: Message, contact: Contact | None, planned: times.Moments, of_contacts: times.Moments
) -> dict[str, Any]:
    # Taken apart at once: asking a tuple for each of its fields by name takes several times as long.
    (
        campaign_id, message_id, contact_id, sender_id, template_id, state, reason, error_code, error_title, attempt,
        retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time, send_time,
        deliver_time, read_time, fail_time,
    ) = written  # fmt: skip
    detail = contacts.contact_fields(contact, of_contacts) if contact else None
    return {
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
        "doubt_time": times.timestamp_fields(doubt_time),
        "create_time": planned.fields(create_time),
        "accept_time": times.timestamp_fields(accept_time),
        "send_time": times.timestamp_fields(send_time),
        "deliver_time": times.timestamp_fields(deliver_time),
        "read_time": times.timestamp_fields(read_time),
        "fail_time": times.timestamp_fields(fail_time),
    }


def _contact_name(contact_id: UUID | None) -> str | None:
    return names.contact_name(contact_id) if contact_id else None
