"""Two levels, and one who works for many: in the process, across processes, before the end."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import grpc
import pytest
import redis.asyncio as redis

from core.breaker import Breaker
from core.cache import Cache
from core.cache.server import Server
from core.clock import SystemClock
from core.domain.errors import NotFound, Unavailable
from tests.helpers.cached import CATEGORIES, Truth, get, process, rename
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.proxy import Proxy


@pytest.fixture
async def elsewhere(cache_url: str, truth: Truth) -> AsyncIterator[grpc.aio.Channel]:
    """Another process with the same truth behind it."""
    async with (
        Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as other,
        process(other, truth) as channel,
    ):
        yield channel


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    """A cache for which no time passes: a busy machine makes it ask no more often than an idle one."""
    async with Cache(url=cache_url, clock=StillClock(), timeout_seconds=2) as cache:
        yield cache


async def scripts_run(cache_url: str) -> int:
    """Counts how often Redis was asked for a reply."""
    async with redis.Redis.from_url(cache_url) as server:
        asked = (await server.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})
    return int(asked["calls"])


async def keys(cache_url: str, pattern: str) -> list[bytes]:
    async with redis.Redis.from_url(cache_url) as server:
        return [key async for key in server.scan_iter(pattern)]


async def test_a_second_hit_asks_redis_for_nothing(channel: grpc.aio.Channel, cache_url: str) -> None:
    await get(channel)
    before = await scripts_run(cache_url)
    assert [(await get(channel))[1] for _ in range(10)] == ["hit"] * 10
    assert await scripts_run(cache_url) == before


async def test_what_one_process_made_the_other_finds_in_redis(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth
) -> None:
    await get(channel)
    assert (await get(elsewhere))[1] == "hit"
    assert truth.reads == 1


async def test_each_level_counts_what_it_had(channel: grpc.aio.Channel, cache: Cache) -> None:
    for _ in range(3):
        await get(channel)
    await rename(channel, "second")
    await get(channel)
    memory, shared = cache.metrics.snapshot().methods[0].levels
    assert (memory.hit, memory.miss, memory.stale) == (2, 1, 1)
    assert (shared.hit, shared.miss) == (0, 2)
    assert memory.bytes == 2 * len((await get(channel))[0].SerializeToString()) - 2  # "second" is a letter longer
    assert cache.metrics.snapshot().memory_bytes > 0


async def test_a_second_process_waits_a_moment_for_the_first_instead_of_doing_the_same(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth, cache_url: str
) -> None:
    truth.gate.clear()
    first = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    before = await scripts_run(cache_url)
    second = asyncio.ensure_future(get(elsewhere))
    while await scripts_run(cache_url) == before:
        pass  # as soon as it has looked: it waits for a moment only
    truth.gate.set()
    outcomes = [(await read)[1] for read in (first, second)]
    assert (outcomes, truth.reads) == (["miss", "hit"], 1)


async def test_a_second_process_does_not_wait_for_long(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth
) -> None:
    truth.gate.clear()
    first = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    second = asyncio.ensure_future(get(elsewhere))
    assert await eventually(lambda: truth.reads == 2, 2.0)  # though the first is still at it
    truth.gate.set()
    assert {(await read)[1] for read in (first, second)} == {"miss"}


async def test_who_is_refused_makes_nobody_wait(channel: grpc.aio.Channel, truth: Truth, cache_url: str) -> None:
    truth.broken = NotFound("CATEGORY_NOT_FOUND", "None.")
    with pytest.raises(grpc.aio.AioRpcError):
        await get(channel)
    assert not await keys(cache_url, "cache:lease:*")


async def near_its_end(cache: Cache, clock: StillClock, channel: grpc.aio.Channel, cache_url: str) -> None:
    """Makes a reply that many ask for, and lets time pass until shortly before it ends, here and in Redis."""
    for _ in range(5):
        await get(channel)
    (remembered,) = [cache._memory._entries[key] for key in list(cache._memory._entries)]
    clock.move(remembered.refresh_time + 0.1 - clock.monotonic())
    (key,) = await keys(cache_url, f"cache:reply:{CATEGORIES}/*")
    async with redis.Redis.from_url(cache_url) as server:
        await server.pexpire(key, 4000)
    await eventually(lambda: clock.monotonic() <= cache._generations.fresh_until)


async def hear_no_more(cache: Cache) -> None:
    """Has it ask for no generations any more, as it were between two questions."""
    assert cache._asking is not None
    cache._closing.set_result(None)
    await cache._asking
    cache._asking = None


async def test_one_makes_a_much_asked_reply_anew_before_it_ends_and_the_others_get_the_kept_one(
    cache_url: str, truth: Truth
) -> None:
    clock = StillClock()
    async with Cache(url=cache_url, clock=clock, timeout_seconds=2) as cache, process(cache, truth) as channel:
        await near_its_end(cache, clock, channel, cache_url)
        truth.display_name = "behind its back"
        truth.reading.clear()
        truth.gate.clear()
        refresher = asyncio.ensure_future(get(channel))
        await truth.reading.wait()
        assert {(await get(channel))[0].display_name for _ in range(5)} == {"first"}
        truth.gate.set()
        reply, outcome = await refresher
        assert (reply.display_name, outcome, truth.reads) == ("behind its back", "miss", 2)
        reply, outcome = await get(channel)
        assert (reply.display_name, outcome) == ("behind its back", "hit")


async def test_the_kept_reply_is_not_shown_once_a_look_tells_of_a_write_elsewhere(
    cache_url: str, truth: Truth, elsewhere: grpc.aio.Channel
) -> None:
    """Not even while another process makes the new one, which takes it longer than a read waits."""
    clock = StillClock()
    async with Cache(url=cache_url, clock=clock, timeout_seconds=2) as cache, process(cache, truth) as channel:
        await near_its_end(cache, clock, channel, cache_url)
        await hear_no_more(cache)
        await rename(elsewhere, "second")
        truth.reading.clear()
        truth.gate.clear()
        maker = asyncio.ensure_future(get(elsewhere))
        await truth.reading.wait()
        read = asyncio.ensure_future(get(channel))
        await eventually(lambda: truth.reads == 3 or read.done())
        truth.gate.set()
        assert {(await each)[0].display_name for each in (maker, read)} == {"second"}


async def test_a_kept_reply_stands_when_it_cannot_be_made_anew_before_its_end(cache_url: str, truth: Truth) -> None:
    clock = StillClock()
    async with Cache(url=cache_url, clock=clock, timeout_seconds=2) as cache, process(cache, truth) as channel:
        await near_its_end(cache, clock, channel, cache_url)
        truth.broken = Unavailable("DATABASE_UNAVAILABLE", "Away.")
        assert (await get(channel))[0].display_name == "first"


async def test_timeouts_do_not_count_against_redis_while_our_own_loop_is_late(cache_url: str) -> None:
    wire, clock = Proxy(cache_url), StillClock()
    await wire.open()
    server = Server(url=wire.url, clock=clock, timeout_seconds=0.02, breaker=Breaker(clock=clock))
    await server.read_numbers(["cache:generation:x"])
    wire.is_deaf = True
    for _ in range(8):
        asking = asyncio.ensure_future(server.read_numbers(["cache:generation:x"]))
        await asyncio.wait([asking], timeout=0.001)
        clock.move(1.0)  # a second went by while the loop did something else
        assert await asking is None
    assert (server.is_available, server.failure_count) == (True, 8)
    for _ in range(8):
        assert await server.read_numbers(["cache:generation:x"]) is None
    assert not server.is_available
    await server.close()
    await wire.close()


async def test_what_failed_together_counts_against_redis_once_however_many_were_asking(cache_url: str) -> None:
    wire, clock = Proxy(cache_url), SystemClock()
    await wire.open()
    server = Server(url=wire.url, clock=clock, timeout_seconds=0.2, breaker=Breaker(clock=clock))
    wire.is_deaf = True
    for _ in range(4):
        await asyncio.gather(*(server.read_numbers(["cache:generation:x"]) for _ in range(10)))
    assert (server.is_available, server.failure_count) == (True, 40)
    await server.read_numbers(["cache:generation:x"])
    assert not server.is_available
    await server.close()
    await wire.close()


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(cache_url: str) -> None:
    clock = StillClock()
    server = Server(url=cache_url, clock=clock, timeout_seconds=0.05, breaker=Breaker(clock=clock, failures=99))
    async with redis.Redis.from_url(cache_url) as valkey:
        await valkey.mset({"cache:generation:x": 1, "cache:generation:y": 2})
        assert await server.read_numbers(["cache:generation:x"]) == [1]
        await valkey.client_pause(200)
    assert await server.read_numbers(["cache:generation:x"]) is None
    assert await eventually(partial(server.read_numbers, ["cache:generation:y"])) == [2]
    await server.close()


async def test_a_connection_closed_between_two_questions_is_no_failure(cache_url: str) -> None:
    wire, clock = Proxy(cache_url), StillClock()
    await wire.open()
    server = Server(url=wire.url, clock=clock, timeout_seconds=2, breaker=Breaker(clock=clock))
    assert await server.read_numbers(["cache:generation:x"]) == [None]
    await wire.close()
    await wire.open()
    async with redis.Redis.from_url(wire.url) as other:
        await other.ping()  # by then the first has heard that it was closed
    assert await server.read_numbers(["cache:generation:x"]) == [None]
    assert server.failure_count == 0
    await server.close()
    await wire.close()
