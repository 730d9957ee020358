"""Steady reads while the cache's Redis is killed: none may fail, and the slowest stay near what they were.

Each read asks for another page, so that none is answered by the cache, with Redis or without: what is compared is the
same work, once with a look at Redis and a reply kept there, and once with both in vain. The first seconds count for
neither: connections begin in them, and the half before the kill would look slow.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import grpc
from chappe.v1 import contacts_service_pb2

from core.clock import SystemClock
from server.wire.page_token import next_token
from tests.bench.calls import Load, calls_per_second
from tests.bench.paced import moments
from tests.bench.read.reads import Read, summed
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served

CLOCK = SystemClock()
_CHANNELS = 4
_WARM_UP_SECONDS = 5.0


@dataclass(slots=True)
class _Seen:
    """What calls took, in seconds: the first, those before Redis was killed, and those after."""

    warm_up: list[float] = field(default_factory=list)
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    failures: int = 0


def redis_killed(served: Served, port: int, uncached: int, read: Read, *, seconds: float) -> list[Row]:
    """Calls at half of the most there is without a cache, kills Redis in the middle, and compares both halves."""
    load = Load(method=read.method, request=read.request, key=served.key, calls=2000)
    rate = calls_per_second(load, uncached) / 2
    seen = asyncio.run(_steady(served, port, read, rate=rate, seconds=seconds))
    before, after = summed(seen.before), summed(seen.after)
    text = f"p99 {before.p99:.1f} ms, then {after.p99:.1f} ms, at {rate:,.0f}/s"
    return [
        Row(name="calls that failed while Redis was killed", figure=seen.failures, text="", most=0),
        Row(name="p99 without Redis beside with it", figure=after.p99 / before.p99, text=text, most=2.0),
    ]


async def _steady(served: Served, port: int, read: Read, *, rate: float, seconds: float) -> _Seen:
    metadata = (("authorization", f"Bearer {served.key}"),)
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) for _ in range(_CHANNELS)]
    asks: list[Any] = [channel.unary_unary(read.method) for channel in channels]
    pages = await _pages(served.database_url, int(rate * (_WARM_UP_SECONDS + seconds)))
    seen = _Seen()

    async def call(number: int, spent: list[float], due: float) -> None:
        try:
            await asks[number % _CHANNELS](pages[number], metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError:
            seen.failures += 1
        spent.append(CLOCK.monotonic() - due)

    counted_from = int(len(pages) * _WARM_UP_SECONDS / (_WARM_UP_SECONDS + seconds))
    killed_at = (counted_from + len(pages)) // 2
    running: list[asyncio.Task[None]] = []
    async for due in moments(len(pages), rate=rate):
        number = len(running)
        if number == killed_at:
            served.cache.process.kill()
        spent = seen.after if number >= killed_at else seen.before if number >= counted_from else seen.warm_up
        running.append(asyncio.create_task(call(number, spent, due)))
    await asyncio.gather(*running)
    for channel in channels:
        await channel.close()
    return seen


async def _pages(database_url: str, most: int) -> list[bytes]:
    """Returns requests for pages of contacts that begin behind one contact each, as many as there are."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch("SELECT id FROM contacts ORDER BY id LIMIT $1", most)
    finally:
        await connection.close()
    request = contacts_service_pb2.ListContactsRequest(page_size=50)
    tokens = (next_token(request, last=(str(row["id"]),)) for row in rows)
    pages = (contacts_service_pb2.ListContactsRequest(page_size=50, page_token=token) for token in tokens)
    return [page.SerializeToString() for page in pages]
