"""With Redis slow or gone everything is answered, and nothing outdated is shown when it comes back."""

from functools import partial

import grpc
import redis.asyncio as redis

from core.cache import Cache
from core.clock import SystemClock
from tests.helpers.cached import Truth, get, process, rename
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.proxy import Proxy


async def is_hit(channel: grpc.aio.Channel) -> bool:
    return (await get(channel))[1] == "hit"


async def test_with_redis_gone_everything_is_answered_and_with_redis_back_it_is_used_again(
    proxy: Proxy, truth: Truth
) -> None:
    clock = StillClock()
    async with Cache(url=proxy.url, clock=clock, timeout_seconds=1) as cache, process(cache, truth) as channel:
        assert [(await get(channel))[1] for _ in range(2)] == ["miss", "hit"]
        await proxy.close()
        clock.move(0.2)  # what the process remembers itself may not be shown any longer
        assert [(await get(channel))[1] for _ in range(8)] == ["bypass"] * 8
        assert not cache.metrics.snapshot().available
        await proxy.open()
        assert (await get(channel))[1] == "bypass"  # it still rests
        clock.move(6)
        assert await eventually(partial(is_hit, channel))
        assert cache.metrics.snapshot().available


async def test_a_write_while_redis_is_gone_is_remembered_and_the_old_reply_never_shown(
    proxy: Proxy, truth: Truth
) -> None:
    clock = StillClock()
    async with Cache(url=proxy.url, clock=clock, timeout_seconds=1) as cache, process(cache, truth) as channel:
        await get(channel)
        await proxy.close()
        assert await rename(channel, "second") == ""
        assert (await get(channel))[0].display_name == "second"
        await proxy.open()
        clock.move(6)
        assert await eventually(partial(is_hit, channel))
        assert (await get(channel))[0].display_name == "second"


async def test_a_redis_that_does_not_answer_costs_a_read_its_timeout_and_no_more(proxy: Proxy, truth: Truth) -> None:
    async with (
        Cache(url=proxy.url, clock=SystemClock(), timeout_seconds=0.05) as cache,
        process(cache, truth) as channel,
    ):
        await get(channel)
        proxy.is_deaf = True
        clock = SystemClock()
        start = clock.monotonic()
        replies = [await get(channel) for _ in range(20)]
        assert {reply.display_name for reply, _ in replies} == {"first"}
        assert clock.monotonic() - start < 1.0  # five timeouts, then the breaker spares the rest


def memory_hits(cache: Cache) -> int:
    """Returns how many calls of the one method that is read here the process's own memory answered."""
    (method,) = cache.metrics.snapshot().methods
    return method.levels[0].hit


async def test_an_answer_that_makes_no_sense_is_none_and_the_next_one_counts_again(
    cache_url: str, truth: Truth
) -> None:
    async with (
        Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2, rest_seconds=0.1) as cache,
        process(cache, truth) as channel,
        redis.Redis.from_url(cache_url) as server,
    ):
        assert [(await get(channel))[1] for _ in range(2)] == ["miss", "hit"]
        number = await server.getset("cache:generation:categories", "no number")
        assert await eventually(lambda: cache.metrics.snapshot().failure_count > 0)
        assert number is not None
        await server.set("cache:generation:categories", number)
        before = memory_hits(cache)
        assert await eventually(partial(is_hit, channel))
        assert memory_hits(cache) > before
