"""How many reads the cache answers while people look at some things more than at others and something is written."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import grpc
from chappe.v1 import categories_pb2, contacts_pb2, contacts_service_pb2

from core.clock import SystemClock
from tests.bench.paced import moments
from tests.bench.read.reads import Read, reads_on, zipf
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served

CLOCK = SystemClock()
_KEYS, _RATE = 200, 1000.0


@dataclass(slots=True)
class _Seen:
    hits: int = 0
    reads: int = 0
    failures: int = 0


def hit_rate(served: Served, port: int, *, seconds: float) -> list[Row]:
    """Reads 1,000 times a second, Zipf 1.1 over 200 keys, writes once a second, and asks how the cache answered."""
    seen = asyncio.run(_run(served, port, seconds))
    text = f"{seen.reads:,} reads in {seconds:g} s, {seen.failures} failed"
    return [Row(name="hit rate", figure=seen.hits / max(1, seen.reads), text=text, least=0.9)]


async def _keys(database_url: str) -> list[Read]:
    """Returns reads of messages, statistics, campaigns, categories and contacts."""
    connection = await asyncpg.connect(database_url)
    try:
        campaigns = await connection.fetch("SELECT id FROM campaigns ORDER BY id DESC LIMIT 40")
        categories = await connection.fetch("SELECT id FROM categories ORDER BY id")
    finally:
        await connection.close()
    found = {
        (read.method, read.request): read
        for number, campaign in enumerate(campaigns)
        for read in reads_on(f"campaigns/{campaign['id']}", f"categories/{categories[number % len(categories)]['id']}")
    }
    return list(found.values())[:_KEYS]


async def _run(served: Served, port: int, seconds: float) -> _Seen:
    reads, seen = await _keys(served.database_url), _Seen()
    luck, weights = zipf(len(reads), exponent=1.1, seed=1)
    metadata = (("authorization", f"Bearer {served.key}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        asks: dict[str, Any] = {read.method: channel.unary_unary(read.method) for read in reads}

        async def look(read: Read) -> None:
            call = asks[read.method](read.request, metadata=metadata, timeout=10)
            try:
                await call
            except grpc.aio.AioRpcError:
                seen.failures += 1
                return
            outcome = dict(await call.trailing_metadata()).get("chappe-cache", "")
            seen.reads += 1
            seen.hits += outcome not in ("miss", "bypass")

        writing = asyncio.create_task(_write(channel, metadata, seconds))
        chosen = iter(luck.choices(reads, weights, k=int(_RATE * seconds)))
        running = [asyncio.create_task(look(next(chosen))) async for _ in moments(int(_RATE * seconds), rate=_RATE)]
        await asyncio.gather(writing, *running)
    return seen


async def _write(channel: grpc.aio.Channel, metadata: Any, seconds: float) -> None:
    """Creates a contact or a category each second."""
    contact: Any = channel.unary_unary("/chappe.v1.ContactsService/CreateContact")
    category: Any = channel.unary_unary("/chappe.v1.CategoriesService/CreateCategory")
    stamp = int(CLOCK.now().timestamp())
    for number in range(int(seconds)):
        if number % 2:
            made = categories_pb2.Category(display_name=f"Made {stamp} {number}")
            await category(categories_pb2.CreateCategoryRequest(category=made).SerializeToString(), metadata=metadata)
        else:
            person = contacts_pb2.Contact(phone_number=f"+4930{stamp % 10**6:06d}{number:02d}")
            request = contacts_service_pb2.CreateContactRequest(contact=person)
            await contact(request.SerializeToString(), metadata=metadata)
        await asyncio.sleep(1.0)
