"""The contacts and categories services as a caller sees them: a real door on a real database."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chappe.v1 import (
    categories_pb2,
    categories_pb2_grpc,
    contacts_import_pb2,
    contacts_pb2,
    contacts_service_pb2,
    contacts_service_pb2_grpc,
)
from google.api.httpbody_pb2 import HttpBody

from core.db import Database
from tests.helpers.served import Api, serving_to

ImportRequest = contacts_import_pb2.ImportContactsRequest
Rejects = list[contacts_import_pb2.ImportContactsResponse.Reject]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsApi(Api):
    """The two services with their address, a key that may do everything, and the database behind them."""

    address: str
    contacts: Any
    categories: Any
    database: Database

    async def create(self, phone_number: str = "", **fields: Any) -> contacts_pb2.Contact:
        """Creates a contact."""
        contact = contacts_pb2.Contact(phone_number=phone_number, **fields)
        request = contacts_service_pb2.CreateContactRequest(contact=contact)
        created: contacts_pb2.Contact = await self.call(self.contacts.CreateContact, request)
        return created

    async def category(
        self, display_name: str, members: Sequence[contacts_pb2.Contact] = ()
    ) -> categories_pb2.Category:
        """Creates a category that holds contacts."""
        request = categories_pb2.CreateCategoryRequest(category=categories_pb2.Category(display_name=display_name))
        category: categories_pb2.Category = await self.call(self.categories.CreateCategory, request)
        if not members:
            return category
        names = [contact.name for contact in members]
        adding = categories_pb2.AddContactsRequest(name=category.name, contacts=names)
        changed: categories_pb2.Category = (await self.call(self.categories.AddContacts, adding)).category
        return changed

    async def matching(self, page_size: int = 1000, **fields: Any) -> list[contacts_pb2.Contact]:
        """Lists contacts that match, one page."""
        request = contacts_service_pb2.ListContactsRequest(
            page_size=page_size, filter=contacts_service_pb2.ContactFilter(**fields)
        )
        return list((await self.call(self.contacts.ListContacts, request)).contacts)

    async def send_import(
        self, requests: Iterable[ImportRequest]
    ) -> tuple[contacts_import_pb2.ImportContactsResponse.Summary, Rejects]:
        """Runs an import and returns its summary and rejects."""
        rejects: Rejects = []
        summary = None
        async for element in self.contacts.ImportContacts(iter(requests), metadata=self.metadata, timeout=60):
            if element.HasField("reject"):
                rejects.append(element.reject)
            if element.HasField("summary"):
                summary = element.summary
        assert summary is not None
        return summary, rejects

    async def import_file(
        self, data: bytes, *, piece: int = 1 << 16, **options: Any
    ) -> tuple[contacts_import_pb2.ImportContactsResponse.Summary, Rejects]:
        """Imports a file, cut into pieces."""
        pieces = [data[at : at + piece] for at in range(0, len(data), piece)] or [b""]
        first, *others = pieces
        messages = [ImportRequest(body=HttpBody(data=first), **options)]
        return await self.send_import(messages + [ImportRequest(body=HttpBody(data=each)) for each in others])

    async def rows(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        """Asks the database."""
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]


@asynccontextmanager
async def serving_contacts(*, database: Database | None = None, **settings: Any) -> AsyncIterator[ContactsApi]:
    """Serves on a free port and yields the services; another connection to the database may look at the rows."""
    async with serving_to("ADMIN", **settings) as at:
        yield ContactsApi(
            metadata=at.metadata,
            address=at.address,
            contacts=contacts_service_pb2_grpc.ContactsServiceStub(at.channel),
            categories=categories_pb2_grpc.CategoriesServiceStub(at.channel),
            database=database or at.database,
        )
