"""BatchUpsertContacts: many contacts in one go, each with a result of its own."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from chappe.v1 import contacts_pb2
from chappe.v1 import contacts_service_pb2 as pb

from core.domain.contacts import Contact, ContactOutcome, check_reachable
from core.domain.errors import InvalidArgument
from core.domain.imports import PERSON_CONFLICT, ImportedRow, WrittenContacts
from core.repositories.rooms import Rooms
from server.services.contact_chunks import ChunkWriter
from server.wire import contacts as wire

Result = pb.BatchUpsertContactsResponse.Result


async def upsert_batch(
    rooms: Rooms, items: Sequence[contacts_pb2.Contact], *, hash_key: bytes, at: datetime
) -> pb.BatchUpsertContactsResponse:
    """Writes the good items, the last of one person winning; statements do not depend on their number."""
    read = [_read(item, line=position) for position, item in enumerate(items)]
    # Of several of one person the first one wins, so they come backwards.
    rows = [row for row in reversed(read) if isinstance(row, ImportedRow)]
    written = await ChunkWriter(hash_key=hash_key).write(rooms, rows, at=at)
    by_position = await rooms.contact_imports.find_staged_contacts()
    found = await rooms.contacts.get_contacts(sorted(set(by_position.values())))
    known = _by_identity(found)
    refused = {row.line for row in written.conflicts}
    results = [
        item if isinstance(item, Result) else _result(item, known, written.contacts, is_refused=item.line in refused)
        for item in read
    ]
    return pb.BatchUpsertContactsResponse(results=results)


def _read(item: contacts_pb2.Contact, *, line: int) -> ImportedRow | Result:
    try:
        draft = wire.read_contact(item)
        check_reachable(draft)
    except InvalidArgument as refusal:
        return _rejected(refusal.reason)
    return ImportedRow(
        line=line,
        phone_number=draft.phone_number or None,
        whatsapp_user_id=draft.whatsapp_user_id or None,
        display_name=draft.display_name,
        language_code=draft.language_code,
        time_zone=draft.time_zone,
        attributes=draft.attributes,
    )


def _by_identity(found: Iterable[Contact]) -> Mapping[str, Contact]:
    known: dict[str, Contact] = {}
    for contact in found:
        known |= {identity: contact for identity in (contact.phone_number, contact.whatsapp_user_id) if identity}
    return known


def _result(row: ImportedRow, known: Mapping[str, Contact], written: WrittenContacts, *, is_refused: bool) -> Result:
    contact = known.get(row.phone_number or row.whatsapp_user_id or "")
    if contact is None or is_refused:
        return _rejected(PERSON_CONFLICT)
    return Result(contact=wire.contact(contact), outcome=wire.outcome(_outcome(contact.id, written)))


def _outcome(contact_id: UUID, written: WrittenContacts) -> ContactOutcome:
    if contact_id in written.created:
        return ContactOutcome.CREATED
    return ContactOutcome.UPDATED if contact_id in written.updated else ContactOutcome.UNCHANGED


def _rejected(reason: str) -> Result:
    return Result(outcome=wire.outcome(ContactOutcome.REJECTED), reason=reason)
