"""What the cache promises holds also where its server is late, takes no writes, or is full."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from core.cache import Cache, Entry
from core.clock import SystemClock
from stack.ports import Ports
from stack.valkey import CACHE, Valkey
from tests.helpers.processes import freeze, thaw

ENTRY = Entry(method="/chappe.v1.Some/Get", request=b"1", collections=("categories",))
_FROZEN_SECONDS = 1.0


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A cache's server of the test's own, since it will be frozen and filled."""
    with Valkey(name="cache", directory=tmp_path, ports=Ports(), policy=CACHE) as valkey:
        yield valkey


@pytest.mark.parametrize(("ttl_seconds", "most_left"), [(60, 59_000), (0.6, 0)])
async def test_what_a_late_server_keeps_ends_at_the_promised_moment(
    valkey: Valkey, ttl_seconds: float, most_left: int
) -> None:
    async with (
        Cache(url=valkey.url(), clock=SystemClock(), timeout_seconds=5) as cache,
        redis.Redis.from_url(valkey.url()) as server,
    ):
        found = await cache.look(ENTRY, refresh_seconds=0)
        freeze(valkey.process)
        keeping = asyncio.ensure_future(
            cache.keep(ENTRY, found, reply=b"kept", ttl_seconds=ttl_seconds, refresh_seconds=0)
        )
        await asyncio.wait([keeping], timeout=_FROZEN_SECONDS)
        thaw(valkey.process)
        await keeping
        assert await server.pttl(f"{ENTRY.key}:{found.stamp}") <= most_left
