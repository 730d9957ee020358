"""Messages in the words of the contract, with the contacts they went to."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
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
    detail = contacts.contact_fields(contact) if contact else None
    return {
        "name": names.message_name(written.campaign_id, written.id),
        "contact": detail["name"] if detail else _contact_name(written.contact_id),
        "contact_detail": detail,
        "sender": names.sender_name(written.sender_id),
        "template": names.template_name(written.template_id) if written.template_id else None,
        "state": _STATES[written.state],
        "reason": written.reason or None,
        "error_code": written.error_code or None,
        "error_title": _error_title(written) if written.error_code else written.error_title or None,
        "attempt": written.attempt or None,
        "retry_count": written.retry_count or None,
        "whatsapp_message_id": written.whatsapp_message_id,
        "not_before_time": times.timestamp_fields(_next_try(written)),
        "doubt_time": times.timestamp_fields(written.doubt_time),
        "create_time": times.timestamp_fields(written.create_time),
        "accept_time": times.timestamp_fields(written.accept_time),
        "send_time": times.timestamp_fields(written.send_time),
        "deliver_time": times.timestamp_fields(written.deliver_time),
        "read_time": times.timestamp_fields(written.read_time),
        "fail_time": times.timestamp_fields(written.fail_time),
    }


def _contact_name(contact_id: UUID | None) -> str | None:
    return names.contact_name(contact_id) if contact_id else None


def _next_try(written: Message) -> datetime | None:
    return written.not_before_time if written.state is MessageState.PENDING else None


def _error_title(written: Message) -> str:
    return written.error_title or words(written.error_code)
