"""What the cache promises holds also where its server is late, takes no writes, or is full."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio as redis

from core.cache import Cache, Entry
from core.clock import SystemClock
from stack.ports import Ports
from stack.valkey import CACHE, Valkey
from tests.helpers.eventually import eventually
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


@asynccontextmanager
async def two_processes(valkey: Valkey) -> AsyncIterator[tuple[Cache, Cache]]:
    """Two processes that both remember one reply, the first also as one in Redis."""
    settings = {"clock": SystemClock(), "timeout_seconds": 2.0, "rest_seconds": 0.1}
    async with Cache(url=valkey.url(), **settings) as one, Cache(url=valkey.url(), **settings) as other:  # type: ignore[arg-type]  # each has its own type
        await one.outdate(ENTRY.collections)
        await one.keep(
            ENTRY, await one.look(ENTRY, refresh_seconds=0), reply=b"kept", ttl_seconds=300, refresh_seconds=0
        )
        await other.look(ENTRY, refresh_seconds=0)
        await eventually(lambda: _recalled(one) == _recalled(other) == "hit")
        yield one, other


def _recalled(cache: Cache) -> str:
    return cache.recall(ENTRY.method, ENTRY.request, seen="")[0]


@asynccontextmanager
async def full(server: redis.Redis) -> AsyncIterator[None]:
    """Has the server hold all that it may, and evict none of it."""
    await server.config_set("maxmemory-policy", "noeviction")
    for number in range(20):
        await server.set(f"cache:filling:{number}", b"x" * 100_000)
    await server.config_set("maxmemory", "1mb")
    with pytest.raises(redis.OutOfMemoryError):
        await server.set("cache:filling:more", 1)
    yield
    await server.config_set("maxmemory", "128mb")


async def test_a_write_outdates_also_what_a_full_server_keeps(valkey: Valkey) -> None:
    async with two_processes(valkey) as (one, other), redis.Redis.from_url(valkey.url()) as server:
        before = int(await server.get("cache:generation:categories") or 0)
        async with full(server):
            for _ in range(2):  # the second time there is no generation left
                told = await one.outdate(ENTRY.collections)
                assert told["categories"] > before
            assert (await other.look(ENTRY, refresh_seconds=0)).reply is None
            assert await eventually(lambda: _recalled(other) != "hit", 1)
            assert not any([key async for key in server.scan_iter("cache:lease:*")])
        found = await other.look(ENTRY, refresh_seconds=0)
        assert (found.reply, found.numbers["categories"] >= told["categories"]) == (None, True)


async def test_a_full_server_is_not_made_to_keep_more(valkey: Valkey) -> None:
    async with two_processes(valkey) as (one, _), redis.Redis.from_url(valkey.url()) as server:
        another = Entry(method=ENTRY.method, request=b"2", collections=ENTRY.collections)
        found = await one.look(another, refresh_seconds=0)
        assert found.is_ours
        async with full(server):
            await one.keep(another, found, reply=b"more", ttl_seconds=300, refresh_seconds=0)
            assert not await server.exists(f"{another.key}:{found.stamp}", f"{another.lease}:{found.stamp}")
            assert (await one.look(ENTRY, refresh_seconds=0)).reply == b"kept"


async def test_a_full_server_is_asked_on_and_shows_to_its_end_what_it_keeps(valkey: Valkey) -> None:
    async with two_processes(valkey) as (one, other), redis.Redis.from_url(valkey.url()) as server, full(server):
        for number in range(20):
            missed = Entry(method=ENTRY.method, request=b"%d" % number, collections=ENTRY.collections)
            await one.keep(
                missed, await one.look(missed, refresh_seconds=0), reply=b"no", ttl_seconds=300, refresh_seconds=0
            )
        near_its_end = await one.look(ENTRY, refresh_seconds=1000)
        assert (near_its_end.reply, near_its_end.is_ours) == (b"kept", False)
        assert "categories" in await one.outdate(ENTRY.collections)
        assert await eventually(lambda: _recalled(other) != "hit", 1)


async def test_nothing_kept_is_shown_while_the_server_takes_no_writes_that_could_outdate_it(valkey: Valkey) -> None:
    async with two_processes(valkey) as (one, other), redis.Redis.from_url(valkey.url()) as server:
        await server.replicaof("127.0.0.1", "1")
        assert await one.outdate(ENTRY.collections) == {}
        assert not (await other.look(ENTRY, refresh_seconds=0)).is_usable
        assert await eventually(lambda: _recalled(other) == "bypass", 1)
        await server.replicaof("NO", "ONE")
        assert await eventually(lambda: _recalled(one) != "bypass")  # it has told what it owed
        assert await eventually(lambda: _recalled(other) not in {"bypass", "hit"})
        assert (await other.look(ENTRY, refresh_seconds=0)).reply is None
