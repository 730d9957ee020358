"""SendMessage: one message, planned in the sender's hidden campaign and sent ahead of all others."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chappe.v1 import messages_pb2, messages_service_pb2

from core.db import TRANSACTION_CONFLICT
from core.domain.contacts import Contact, ContactDraft, person_hashes
from core.domain.direct import Content, check_sender, check_window, fill_template
from core.domain.errors import AlreadyExists, Conflict
from core.domain.interactions import Person
from core.domain.phone import parse_phone
from core.domain.senders import Sender
from core.repositories.rooms import Rooms
from server.wire import messages as wire
from server.wire import names
from server.wire.bindings import read_bindings

_Request = messages_service_pb2.SendMessageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """Holds what turns a phone number into a contact: the key of hashes, and the country of numbers without +."""

    hash_key: bytes
    default_region: str | None


async def send_message(
    rooms: Rooms, request: _Request, *, addressing: Addressing, at: datetime
) -> messages_pb2.Message:
    """Plans the message and returns it; the caller rings for its sender after the commit."""
    sender = await rooms.senders.get_sender(names.parse_sender(request.sender))
    check_sender(sender)
    contact = await _addressee(rooms, request, addressing=addressing, at=at)
    template_id, content = await _content(rooms, request, sender=sender, contact=contact, at=at)
    campaign_id = await rooms.direct.home(sender.id, at=at)
    message_id = await rooms.direct.add_direct_message(
        campaign_id, contact_id=contact.id, sender_id=sender.id, template_id=template_id, content=content
    )
    return wire.message(await rooms.messages.get_message(campaign_id, message_id), contact)


async def _addressee(rooms: Rooms, request: _Request, *, addressing: Addressing, at: datetime) -> Contact:
    """Finds the contact, or makes one of a number that none has; its row stays locked, so that it is not erased now."""
    if request.contact:
        return await rooms.contacts.lock_contact(names.parse_contact(request.contact))
    number = parse_phone(request.phone_number, addressing.default_region)
    known = await rooms.inbound.find_people([Person(phone_number=number)])
    for found in known.values():
        return await rooms.contacts.lock_contact(found.id)
    hashes = person_hashes(addressing.hash_key, number)
    try:
        return await rooms.contacts.create_contact(ContactDraft(phone_number=number), hashes=hashes, at=at)
    except AlreadyExists as error:
        # Someone else made it just now: the second try finds it.
        raise Conflict(TRANSACTION_CONFLICT, "The contact was created by someone else just now.") from error


async def _content(
    rooms: Rooms, request: _Request, *, sender: Sender, contact: Contact, at: datetime
) -> tuple[UUID | None, Content]:
    if request.WhichOneof("content") == "text":
        check_window(await rooms.direct.find_window(contact_id=contact.id, sender_id=sender.id), at=at)
        return None, Content(text=request.text)
    asked = request.template_content
    template = await rooms.templates.get_template(names.parse_template(asked.template))
    return template.id, fill_template(template, read_bindings(asked.bindings), sender=sender, contact=contact)
