"""Whether the last page of a list comes as fast as its first, however many rows lie between them."""

import asyncio
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

import asyncpg
from chappe.v1 import contacts_service_pb2, messages_service_pb2
from google.protobuf.message import Message

from server.wire.page_token import next_token
from tests.bench.calls import Load, reply_of
from tests.bench.read.reads import Latency, Read, latency, often, read_of, timed_in_turns
from tests.bench.read.rows import ROUNDS, Row
from tests.bench.read.servers import Served

_PAGE: Final = 50
# The row behind which a page is left, found from the end.
_CONTACT: Final = "SELECT id FROM contacts ORDER BY id DESC OFFSET $1 LIMIT 1"
_OF_CAMPAIGN: Final = "SELECT id FROM messages WHERE campaign_id = $2 ORDER BY id DESC OFFSET $1 LIMIT 1"
_FAILED: Final = """
    SELECT id FROM messages WHERE campaign_id = $2 AND state = 'FAILED' ORDER BY id DESC OFFSET $1 LIMIT 1"""
_OF_ALL: Final = "SELECT campaign_id, id FROM messages ORDER BY campaign_id, id OFFSET $1 LIMIT 1"
_READ: Final = """
    SELECT messages.campaign_id, messages.id
    FROM (SELECT id FROM campaigns ORDER BY id LIMIT 1) AS oldest
    JOIN messages ON campaign_id = oldest.id
    WHERE state = 'READ'
    ORDER BY messages.id
    OFFSET $1 LIMIT 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Is the first page of a list and its last, and what a reply is read with."""

    first: Read
    last: Read
    reply: type[Message]
    rows: str


async def ends_of(database_url: str) -> list[Ends]:
    """Names both ends of contacts, of the messages of the largest campaign, and of all messages."""
    contacts, messages = contacts_service_pb2.ListContactsRequest, messages_service_pb2.ListMessagesRequest
    connection = await asyncpg.connect(database_url, command_timeout=120)
    try:
        campaign = await connection.fetchval("SELECT id FROM campaigns ORDER BY audience_count DESC, id LIMIT 1")
        parent = f"campaigns/{campaign}"
        failed = messages(page_size=_PAGE, parent=parent, state="STATE_FAILED")  # type: ignore[arg-type]  # a name is a value
        read = messages(page_size=_PAGE, state="STATE_READ")  # type: ignore[arg-type]  # same
        return [
            _ends("contacts", contacts(page_size=_PAGE), await connection.fetchrow(_CONTACT, _PAGE)),
            _ends(
                "messages of a campaign",
                messages(page_size=_PAGE, parent=parent),
                await connection.fetchrow(_OF_CAMPAIGN, _PAGE, campaign),
            ),
            _ends("failed messages of a campaign", failed, await connection.fetchrow(_FAILED, _PAGE, campaign)),
            _ends("all messages", messages(page_size=_PAGE), await connection.fetchrow(_OF_ALL, _PAGE)),
            _ends("all read messages", read, await connection.fetchrow(_READ, _PAGE)),
        ]
    finally:
        await connection.close()


def _ends(name: str, request: Message, key: "asyncpg.Record | None") -> Ends:
    """Makes the last page's token as the server makes it, of the key of the row before that page."""
    if key is None:
        raise LookupError(f"{name}: fewer rows than a page has")
    rest = type(request)()
    rest.CopyFrom(request)
    cast("Any", rest).page_token = next_token(request, last=tuple(map(str, key)))
    if isinstance(request, contacts_service_pb2.ListContactsRequest):
        path, most_ms, rows = "ContactsService/ListContacts", 30.0, "contacts"
        reply: type[Message] = contacts_service_pb2.ListContactsResponse
    else:
        path, most_ms, rows = "MessagesService/ListMessages", 20.0, "messages"
        reply = messages_service_pb2.ListMessagesResponse
    return Ends(
        first=read_of(f"{name}, first page", path, request, most_ms),
        last=read_of(f"{name}, last page", path, rest, most_ms),
        reply=reply,
        rows=rows,
    )


def last_pages(served: Served, cached: int, uncached: int, *, calls: int) -> Iterator[Row]:
    """Measures last pages past the cache and from it, and beside their first pages, in turns call by call."""
    for ends in asyncio.run(ends_of(served.database_url)):
        _see(ends, served, uncached, calls=calls)
        found = latency(ends.last, cached, served.key, calls=calls)
        rounds = [_round(ends, served, uncached, calls=calls) for _ in range(ROUNDS)]
        p99 = statistics.median(last.p99 for last, _ in rounds)
        p50 = statistics.median(last.p50 for last, _ in rounds)
        yield _tail(f"{ends.last.name}, uncached, p99 ms", Latency(p50=p50, p99=p99), ends.last)
        yield _tail(f"{ends.last.name}, cached, p99 ms", found, ends.last)
        yield beside_first(ends.last.name, rounds)


def beside_first(name: str, rounds: list[tuple[Latency, Latency]]) -> Row:
    """Compares the middles of both; the slowest hundredths, each with a goal of its own, stand beside them."""
    figure = statistics.median(last.p50 / first.p50 for last, first in rounds)
    last, first = (statistics.median(each.p50 for each in side) for side in zip(*rounds, strict=True))
    slow, slow_first = (statistics.median(each.p99 for each in side) for side in zip(*rounds, strict=True))
    text = f"{last:.1f} ms, {first:.1f} ms (p99 {slow:.1f}, {slow_first:.1f})"
    return Row(name=f"{name}, p50 beside the first", figure=figure, text=text, most=1.2)


def _round(ends: Ends, served: Served, port: int, *, calls: int) -> tuple[Latency, Latency]:
    last, first = (often(read, served.key, calls=calls) for read in (ends.last, ends.first))
    return timed_in_turns(last, first, (port, port))


def _tail(name: str, found: Latency, read: Read) -> Row:
    return Row(name=name, figure=found.p99, text=f"p50 {found.p50:.1f} ms", most=read.most_ms)


def _see(ends: Ends, served: Served, port: int, *, calls: int) -> None:
    """Raises when either is not a full page, or not where it should be: what is empty would be fast."""
    for read, is_last in ((ends.first, False), (ends.last, True)):
        load = Load(method=read.method, request=read.request, key=served.key, calls=calls)
        reply: Any = ends.reply.FromString(reply_of(load, port))
        if len(getattr(reply, ends.rows)) != _PAGE or bool(reply.next_page_token) is is_last:
            raise RuntimeError(f"{read.name}: {len(getattr(reply, ends.rows))} rows, and it goes on as it should not")
