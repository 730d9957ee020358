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
from server.wire.repeated import Repeated

_Message = messages_pb2.Message
_STATES: Final = {state: _Message.State.Value(f"STATE_{state}") for state in MessageState}
_PENDING: Final = MessageState.PENDING


def message(written: Message, contact: Contact | None) -> messages_pb2.Message:
    """Writes a message with the contact it went to, if the person was not erased."""
    return _Message(**_Page().fields(written, contact))


def messages(written: Iterable[Message], addressees: Mapping[UUID, Contact]) -> Iterator[Any]:
    """Writes messages, each with its contact from those given, as mappings like those of ``contacts.contacts``."""
    page = _Page()
    for each in written:
        yield page.fields(each, addressees.get(each.contact_id) if each.contact_id else None)


def read_state(value: messages_pb2.Message.State.ValueType) -> MessageState | None:
    """Reads a filter by state; none given means any."""
    return MessageState(_Message.State.Name(value).removeprefix("STATE_")) if value else None


class _Page:
    """Writes messages one after the other, and once what they share."""

    __slots__ = ("_campaigns", "_contacts", "_planned", "_senders", "_templates")

    def __init__(self) -> None:
        self._campaigns = Repeated(names.campaign_name)
        self._senders, self._templates = Repeated(names.sender_name), Repeated(names.template_name)
        self._planned, self._contacts = times.repeated(), times.repeated()

    def fields(self, written: Message, contact: Contact | None) -> dict[str, Any]:
        """Writes the fields of a message and of the contact it went to."""
        # Taken apart at once: asking a tuple for each of its fields by name takes several times as long.
        (
            campaign_id, message_id, contact_id, sender_id, template_id, state, reason, error_code, error_title,
            attempt, retry_count, whatsapp_message_id, not_before_time, doubt_time, create_time, accept_time,
            send_time, deliver_time, read_time, fail_time,
        ) = written  # fmt: skip
        detail = contacts.contact_fields(contact, self._contacts) if contact else None
        return {
            "name": names.message_in(self._campaigns.write(campaign_id), message_id),
            "contact": detail["name"] if detail else _contact_name(contact_id),
            "contact_detail": detail,
            "sender": self._senders.write(sender_id),
            "template": self._templates.write(template_id),
            "state": _STATES[state],
            "reason": reason or None,
            "error_code": error_code or None,
            "error_title": error_title or (words(error_code) if error_code else None),
            "attempt": attempt or None,
            "retry_count": retry_count or None,
            "whatsapp_message_id": whatsapp_message_id,
            "not_before_time": times.timestamp_fields(not_before_time) if state is _PENDING else None,
            "doubt_time": times.timestamp_fields(doubt_time),
            "create_time": self._planned.write(create_time),
            "accept_time": times.timestamp_fields(accept_time),
            "send_time": times.timestamp_fields(send_time),
            "deliver_time": times.timestamp_fields(deliver_time),
            "read_time": times.timestamp_fields(read_time),
            "fail_time": times.timestamp_fields(fail_time),
        }


def _contact_name(contact_id: UUID | None) -> str | None:
    return names.contact_name(contact_id) if contact_id else None
