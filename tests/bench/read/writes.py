"""How long the slowest hundredth of the writes takes that people wait for: a contact, a category, a start."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

import asyncpg
from chappe.v1 import campaigns_service_pb2, categories_pb2, contacts_pb2, contacts_service_pb2
from google.protobuf.message import Message

from tests.bench.read.reads import Calls, timed
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served

_MOST_MS: Final = 50.0
_MADE: Final = "Made by the bench"
# A start answers before it expands, so everybody is its audience.
_DRAFTS = """
    INSERT INTO campaigns (display_name, sender_id, template_id, all_contacts)
    SELECT $1, senders.id, templates.id, true
    FROM (SELECT id FROM senders ORDER BY id LIMIT 1) AS senders,
        (SELECT id FROM templates ORDER BY id LIMIT 1) AS templates,
        generate_series(1, $2::integer)
    RETURNING id"""
_TIDY = (
    "DELETE FROM campaigns WHERE display_name = $1",
    "DELETE FROM contacts WHERE display_name = $1",
    "DELETE FROM categories WHERE description = $1",
)


def writes(served: Served, port: int, *, calls: int) -> Iterator[Row]:
    """Makes each write that often, one after another, and takes all of it back."""
    try:
        drafts = asyncio.run(_drafts(served.database_url, calls))
        for name, method, requests in (
            ("create a contact", "ContactsService/CreateContact", [_contact(number) for number in range(calls)]),
            ("create a category", "CategoriesService/CreateCategory", [_category(number) for number in range(calls)]),
            ("start a campaign", "CampaignsService/StartCampaign", [_start(draft) for draft in drafts]),
        ):
            found = timed(Calls(method=f"/chappe.v1.{method}", requests=_bytes(requests), key=served.key), port)
            yield Row(name=f"{name}, p99 ms", figure=found.p99, text=f"p50 {found.p50:.1f} ms", most=_MOST_MS)
    finally:
        asyncio.run(_tidy(served.database_url))


async def _drafts(database_url: str, count: int) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return [f"campaigns/{row['id']}" for row in await connection.fetch(_DRAFTS, _MADE, count)]
    finally:
        await connection.close()


async def _tidy(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for statement in _TIDY:
            await connection.execute(statement, _MADE)
    finally:
        await connection.close()


def _contact(number: int) -> Message:
    made = contacts_pb2.Contact(phone_number=f"+4940{number:08d}", display_name=_MADE)
    return contacts_service_pb2.CreateContactRequest(contact=made)


def _category(number: int) -> Message:
    made = categories_pb2.Category(display_name=f"{_MADE} {number}", description=_MADE)
    return categories_pb2.CreateCategoryRequest(category=made)


def _start(draft: str) -> Message:
    return campaigns_service_pb2.StartCampaignRequest(name=draft)


def _bytes(requests: Sequence[Message]) -> list[bytes]:
    return [request.SerializeToString() for request in requests]
