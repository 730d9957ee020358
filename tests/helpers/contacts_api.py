"""The contacts and categories services as a caller sees them: a real door on a real database."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from chappe.v1 import (
    categories_pb2,
    categories_pb2_grpc,
    contacts_import_pb2,
    contacts_pb2,
    contacts_service_pb2,
    contacts_service_pb2_grpc,
)
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.message import Message

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import assembled
from server.keys import create_key
from tests.helpers.doors import details

ImportRequest = contacts_import_pb2.ImportContactsRequest
Rejects = list[contacts_import_pb2.ImportContactsResponse.Reject]
HASH_KEY = "a key of the tests"


@dataclass(frozen=True, slots=True)
class ContactsApi:
    """The two services by their stubs, with a key that may do everything, and the database behind them."""

    contacts: Any
    categories: Any
    metadata: tuple[tuple[str, str], ...]
    database: Database

    async def call(self, method: Any, request: Message) -> Any:
        """Calls and returns the reply."""
        return await method(request, metadata=self.metadata, timeout=10)

    async def refusal(self, method: Any, request: Message) -> str:
        """Calls, expects a refusal and returns its reason."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.call(method, request)
        return str(details(refused.value)["ErrorInfo"].reason)

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
async def serving_contacts(
    *,
    database_url: str,
    cache_url: str,
    queue_url: str,
    database: Database | None = None,
    cache_enabled: bool = False,
    **settings: Any,
) -> AsyncIterator[ContactsApi]:
    """Serves on a free port and yields the services; replies are not cached unless it is asked for."""
    used = Settings(
        database_url=database_url, cache_url=cache_url, queue_url=queue_url, grpc_port=0,
        cache_enabled=cache_enabled, cache_timeout_seconds=2,
        hash_key=HASH_KEY, **settings,
    )  # fmt: skip
    async with Database(url=database_url, pool_size=2) as own, assembled(settings=used, clock=SystemClock()) as door:
        key = await create_key(Store(own), role="ADMIN")
        port = await door.open()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield ContactsApi(
                contacts_service_pb2_grpc.ContactsServiceStub(channel),
                categories_pb2_grpc.CategoriesServiceStub(channel),
                (("authorization", f"Bearer {key}"),),
                database or own,
            )
        await door.close()
