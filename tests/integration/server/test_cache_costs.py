"""What the cache costs a call: one wait for Redis at most, none for what is kept afterwards, and each counted once."""

import asyncio

import grpc
import pytest
import redis.asyncio as redis

from core.cache import Cache
from core.cache.aside import Aside
from core.clock import SystemClock
from core.domain.errors import Unavailable
from tests.helpers.cached import Truth, get, process
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.proxy import Proxy
from tests.integration.server.test_cache_levels import hear_no_more, keys, near_its_end, scripts_run

SLOW_SECONDS, PATIENCE = 0.15, 0.2


async def test_a_slow_redis_costs_a_read_one_wait_however_often_it_would_look(
    channel: grpc.aio.Channel, proxy: Proxy, truth: Truth, cache_url: str
) -> None:
    async with (
        Cache(url=proxy.url, clock=SystemClock(), timeout_seconds=PATIENCE) as cache,
        process(cache, truth) as slow,
    ):
        await get(slow)
        await cache.outdate(["categories"])
        truth.gate.clear()
        truth.reading.clear()
        maker = asyncio.ensure_future(get(channel))
        await truth.reading.wait()
        proxy.delay_seconds = SLOW_SECONDS
        before = await scripts_run(cache_url)
        read = asyncio.ensure_future(get(slow))  # the other holds the lease
        assert await eventually(lambda: truth.reads == 3)
        assert await scripts_run(cache_url) == before + 1
        truth.gate.set()
        await asyncio.gather(maker, read)


async def test_what_is_owed_is_paid_within_the_same_wait(proxy: Proxy, truth: Truth, cache_url: str) -> None:
    async with (
        Cache(url=proxy.url, clock=SystemClock(), timeout_seconds=PATIENCE) as cache,
        process(cache, truth) as channel,
    ):
        await get(channel)
        await cache.outdate(["categories"])
        await hear_no_more(cache)
        cache.owe(["categories"])
        proxy.delay_seconds = SLOW_SECONDS
        before = await scripts_run(cache_url)
        assert (await get(channel))[1] == "bypass"
        assert await scripts_run(cache_url) == before + 1


async def test_a_reply_does_not_wait_until_it_is_kept(proxy: Proxy, truth: Truth) -> None:
    async with (
        Cache(url=proxy.url, clock=SystemClock(), timeout_seconds=4) as cache,
        process(cache, truth, settles=False) as channel,
    ):
        truth.gate.clear()
        read = asyncio.ensure_future(get(channel))
        await truth.reading.wait()
        proxy.is_deaf = True
        truth.gate.set()
        async with asyncio.timeout(3):
            assert (await read)[1] == "miss"


async def test_who_comes_until_it_is_kept_shares_it(cache_url: str, truth: Truth) -> None:
    async with (
        Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as cache,
        process(cache, truth, settles=False) as channel,
    ):
        assert [(await get(channel))[1] for _ in range(20)] == ["miss", *["hit"] * 19]
        assert truth.reads == 1


async def test_a_leader_that_is_gone_or_broken_leaves_no_lease(
    channel: grpc.aio.Channel, truth: Truth, cache_url: str
) -> None:
    truth.broken = ValueError()
    with pytest.raises(grpc.aio.AioRpcError):
        await get(channel)
    assert not await keys(cache_url, "cache:lease:*")
    truth.broken = None
    truth.gate.clear()
    truth.reading.clear()
    leader = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    (lease,) = await keys(cache_url, "cache:lease:*")
    async with redis.Redis.from_url(cache_url) as server:
        await server.persist(lease)  # it would end by itself
    leader.cancel()

    async def is_left() -> bool:
        return not await keys(cache_url, "cache:lease:*")

    assert await eventually(is_left)


async def test_a_reply_that_is_due_is_judged_again_after_a_look_that_was_in_vain(
    proxy: Proxy, truth: Truth, cache_url: str
) -> None:
    clock = StillClock()
    async with Cache(url=proxy.url, clock=clock, timeout_seconds=1) as cache, process(cache, truth) as channel:
        await near_its_end(cache, clock, channel, cache_url)
        await hear_no_more(cache)
        truth.display_name = "behind its back"
        proxy.deafening = b"EVALSHA"
        read = asyncio.ensure_future(get(channel))
        await eventually(lambda: proxy.is_deaf)
        clock.move(0.11)  # what is known of generations is too old now
        reply, outcome = await read
        assert (reply.display_name, outcome) == ("behind its back", "bypass")


async def test_a_call_is_counted_once_also_when_a_kept_reply_stands_in_for_what_cannot_be_made(
    cache_url: str, truth: Truth
) -> None:
    clock = StillClock()
    async with Cache(url=cache_url, clock=clock, timeout_seconds=2) as cache, process(cache, truth) as channel:
        await near_its_end(cache, clock, channel, cache_url)
        before = counts(cache)
        truth.broken = Unavailable("DATABASE_UNAVAILABLE", "Away.")
        assert (await get(channel))[1] == "hit"
        assert [now - then for now, then in zip(counts(cache), before, strict=True)] == [1, 0, 1, 1]


async def test_what_redis_keeps_near_its_end_stands_in_for_what_cannot_be_made(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth, cache_url: str
) -> None:
    await get(channel)
    (key,) = await keys(cache_url, "cache:reply:*")
    async with redis.Redis.from_url(cache_url) as server:
        await server.pexpire(key, 4000)
    truth.broken = Unavailable("DATABASE_UNAVAILABLE", "Away.")

    async def stands() -> bool:
        return (await get(elsewhere))[1] == "hit"

    assert await eventually(stands, 3)


async def test_a_call_that_looks_several_times_is_counted_once(
    cache: Cache, channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth
) -> None:
    truth.gate.clear()
    maker = asyncio.ensure_future(get(elsewhere))
    await truth.reading.wait()
    waiter = asyncio.ensure_future(get(channel))
    assert await eventually(lambda: truth.reads == 2)  # it has looked as often as it ever does
    truth.gate.set()
    await asyncio.gather(maker, waiter)
    assert counts(cache) == [0, 1, 1, 1]


def counts(cache: Cache) -> list[int]:
    """Returns the hits and the misses of the one method that is read, and what each level was asked for it."""
    (method,) = cache.metrics.snapshot().methods
    return [method.hit, method.miss, *(level.hit + level.miss + level.stale + level.bypass for level in method.levels)]


async def test_so_much_is_kept_at_once_and_no_more_and_a_mistake_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    aside, gate = Aside(), asyncio.Event()

    async def keep() -> None:
        await gate.wait()
        raise ValueError

    started = [aside.start(keep) for _ in range(70)]
    assert (started.count(None), started[:64].count(None)) == (6, 0)
    gate.set()
    await aside.settle()
    assert caplog.text.count("could not be kept") == 64
    assert aside.start(keep) is not None
    await aside.settle()
