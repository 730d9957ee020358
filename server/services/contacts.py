"""ContactsService: keeps the people whom campaigns reach."""

from collections.abc import AsyncIterator, Awaitable, Callable

from chappe.v1 import contacts_import_pb2, contacts_pb2
from chappe.v1 import contacts_service_pb2 as pb
from chappe.v1.contacts_service_pb2_grpc import ContactsServiceServicer
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from core.clock import Clock
from core.domain.contact_lists import order_of
from core.domain.contacts import check_reachable, merge_draft, person_hashes
from core.repositories.rooms import Rooms, Store
from core.settings import Settings
from server.mutations import Mutations
from server.services.categories import missing_contacts
from server.services.contact_batches import upsert_batch
from server.services.contact_consents import read_consent_record
from server.services.contact_imports import ContactImport
from server.services.erasure import erase_person
from server.wire import contacts as wire
from server.wire import names
from server.wire.field_mask import changed_fields
from server.wire.list_keys import after_contact
from server.wire.page_token import LARGEST_SIZE, next_token, read_page


class ContactsService(ContactsServiceServicer):
    """Serves contacts."""

    def __init__(self, *, store: Store, mutations: Mutations, clock: Clock, settings: Settings) -> None:
        """Takes where contacts are kept, and by which key erased persons are known again."""
        self._store = store
        self._mutations = mutations
        self._clock = clock
        self._settings = settings
        self._hash_key = settings.hash_key.get_secret_value().encode()

    async def GetContact(self, request: pb.GetContactRequest, context: object) -> contacts_pb2.Contact:
        """Returns one contact."""
        async with self._store.connection() as rooms:
            return wire.contact(await rooms.contacts.get_contact(names.parse_contact(request.name)))

    async def ListContacts(self, request: pb.ListContactsRequest, context: object) -> pb.ListContactsResponse:
        """Returns one page of contacts: oldest first, or in the order of what is searched."""
        page = read_page(request)
        selected = wire.read_filter(request.filter)
        async with self._store.connection() as rooms:
            found = await rooms.contact_lists.read_page(
                selected, size=page.size, after=after_contact(page, order_of(selected))
            )
        token = next_token(request, last=tuple(map(str, found.next_key))) if found.next_key else ""
        return pb.ListContactsResponse(contacts=wire.contacts(found.contacts), next_page_token=token)

    async def CountContacts(self, request: pb.CountContactsRequest, context: object) -> pb.CountContactsResponse:
        """Counts the contacts that match."""
        async with self._store.connection() as rooms:
            count = await rooms.contact_lists.count_contacts(wire.read_filter(request.filter))
        return pb.CountContactsResponse(contact_count=count)

    async def BatchGetContacts(
        self, request: pb.BatchGetContactsRequest, context: object
    ) -> pb.BatchGetContactsResponse:
        """Returns contacts by name, in the order asked."""
        asked = [names.parse_contact(name) for name in request.names]
        async with self._store.connection() as rooms:
            found = {contact.id: contact for contact in await rooms.contacts.get_contacts(asked)}
        missing = [contact_id for contact_id in asked if contact_id not in found]
        if missing:
            raise missing_contacts(missing)
        return pb.BatchGetContactsResponse(contacts=wire.contacts(found[contact_id] for contact_id in asked))

    async def CreateContact(self, request: pb.CreateContactRequest, context: object) -> contacts_pb2.Contact:
        """Creates a contact; an opt-out from before an erasure stays."""
        draft = wire.read_contact(request.contact)
        check_reachable(draft)

        async def apply(rooms: Rooms) -> contacts_pb2.Contact:
            hashes = person_hashes(self._hash_key, draft.phone_number, draft.whatsapp_user_id)
            return wire.contact(await rooms.contacts.create_contact(draft, hashes=hashes, at=self._clock.now()))

        return await self._mutate(request, apply)

    async def UpdateContact(self, request: pb.UpdateContactRequest, context: object) -> contacts_pb2.Contact:
        """Changes the named fields of a contact; an opt-out that is known of its new number or id counts."""
        contact_id = names.parse_contact(request.contact.name)
        changed = changed_fields(request.update_mask, request.contact, wire.SETTABLE)
        said = wire.read_contact(request.contact)

        async def apply(rooms: Rooms) -> contacts_pb2.Contact:
            now, before = self._clock.now(), await rooms.contacts.lock_contact(contact_id)
            draft = merge_draft(before, said, changed=changed)
            check_reachable(draft)
            updated = await rooms.contacts.update_contact(contact_id, draft, at=now)
            new = {updated.phone_number, updated.whatsapp_user_id} - {before.phone_number, before.whatsapp_user_id}
            hashes = [(contact_id, known) for known in person_hashes(self._hash_key, *new)]
            if hashes and await rooms.consent.honour_kept_opt_outs(hashes, at=now):
                updated = await rooms.contacts.get_contact(contact_id)
            return wire.contact(updated)

        return await self._mutate(request, apply)

    async def DeleteContact(self, request: pb.DeleteContactRequest, context: object) -> Empty:
        """Erases a person; what was sent stays counted."""
        contact_id = names.parse_contact(request.name)

        async def apply(rooms: Rooms) -> Empty:
            await erase_person(
                rooms,
                contact_id,
                hash_key=self._hash_key,
                at=self._clock.now(),
                lease_seconds=self._settings.lease_seconds,
            )
            return Empty()

        return await self._mutations.run(request, Empty, apply)

    async def RecordConsent(self, request: pb.RecordConsentRequest, context: object) -> contacts_pb2.Contact:
        """Keeps a yes or a no to marketing with its proof, and what follows from it."""
        contact_id = names.parse_contact(request.name)

        async def apply(rooms: Rooms) -> contacts_pb2.Contact:
            now = self._clock.now()
            contact = await rooms.contacts.lock_contact(contact_id)
            record = read_consent_record(request, contact, hash_key=self._hash_key, now=now)
            await rooms.consent.record([record], at=now)
            return wire.contact(await rooms.contacts.get_contact(contact_id))

        return await self._mutate(request, apply)

    async def BatchUpsertContacts(
        self, request: pb.BatchUpsertContactsRequest, context: object
    ) -> pb.BatchUpsertContactsResponse:
        """Creates or updates contacts, each with a result of its own."""

        async def apply(rooms: Rooms) -> pb.BatchUpsertContactsResponse:
            return await upsert_batch(rooms, request.contacts, hash_key=self._hash_key, at=self._clock.now())

        return await self._mutations.run(request, pb.BatchUpsertContactsResponse, apply)

    async def ImportContacts(
        self, request_iterator: AsyncIterator[contacts_import_pb2.ImportContactsRequest], context: object
    ) -> AsyncIterator[contacts_import_pb2.ImportContactsResponse]:
        """Imports a file or rows as they come, and answers as it goes."""
        importing = ContactImport(
            store=self._store,
            clock=self._clock,
            hash_key=self._hash_key,
            default_region=self._settings.default_region or "",
        )
        async for element in importing.run(request_iterator):
            yield element

    async def ExportContacts(
        self, request: pb.ExportContactsRequest, context: object
    ) -> AsyncIterator[pb.ExportContactsResponse]:
        """Streams the contacts that match, page by page, then their number."""
        selected = wire.read_filter(request.filter)
        row_count, after, is_last = 0, None, False
        while not is_last:
            # A connection is lent for a page, not for as long as the reader takes.
            async with self._store.connection() as rooms:
                page = await rooms.contact_lists.read_page(selected, size=LARGEST_SIZE, after=after)
            if page.contacts:
                yield pb.ExportContactsResponse(contacts=wire.contacts(page.contacts))
            row_count += len(page.contacts)
            after, is_last = page.next_key, page.next_key is None
        yield pb.ExportContactsResponse(footer=pb.ExportFooter(row_count=row_count))

    async def _mutate(
        self, request: Message, apply: Callable[[Rooms], Awaitable[contacts_pb2.Contact]]
    ) -> contacts_pb2.Contact:
        """Runs a change whose reply is a contact, so that erasing the contact removes the reply as well."""
        return await self._mutations.run(
            request, contacts_pb2.Contact, apply, contact_id=lambda reply: names.parse_contact(reply.name)
        )
