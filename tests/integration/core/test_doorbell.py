"""What holds for the bell on Redis alone; what every bell keeps to stands in test_bells.py."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis

from core.queue.doorbell import GROUP, EvictingServerError, RedisBells, refuse_eviction
from core.queue.wakeups import Wakeups
from tests.helpers.bells import STREAM, bell, listener, notes, opened, ring
from tests.helpers.eventually import eventually
from tests.helpers.sending import CLOCK


@pytest.fixture
async def redis(queue_url: str) -> AsyncIterator[Redis]:
    """A client of the emptied queue server."""
    client = Redis.from_url(queue_url)
    yield client
    await client.aclose()


async def test_a_clean_stop_leaves_no_listener_behind_in_the_group(redis: Redis, queue_url: str) -> None:
    heard, note = notes()
    async with opened(queue_url) as bells, listener(bell(bells), note):
        await ring(bell(bells), "a")
        await eventually(lambda: heard == ["a"])
    assert await redis.xinfo_consumers(STREAM, GROUP) == []


async def test_a_stop_is_heeded_also_in_the_moment_of_a_look_after_dead_listeners(queue_url: str) -> None:
    """A driver may lose a cancellation that meets an answer: tried so often, it meets some."""
    for number in range(25):
        bells = RedisBells(queue_url)
        heard = bells.listener(STREAM, name="one", luck=lambda: 0.5, patience_seconds=0.0).listen()
        waiting = asyncio.ensure_future(anext(heard))
        await asyncio.wait([waiting], timeout=0.002 + number % 50 / 10_000)
        waiting.cancel()
        async with asyncio.timeout(5):
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await waiting
            await heard.aclose()
        await bells.close()


async def test_a_server_that_evicts_is_refused(redis: Redis) -> None:
    assert await refuse_eviction(redis) == "noeviction"
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(EvictingServerError):
            await refuse_eviction(redis)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nats://127.0.0.1:1"])
async def test_ringing_without_a_server_is_no_failure_of_the_caller(url: str) -> None:
    wakeups = Wakeups.connect(url, clock=CLOCK)
    assert not await wakeups.pump_sender(UUID(int=1))
    assert wakeups.lost_count == 1
    await wakeups.close()


async def test_a_ring_carries_an_id_and_is_json(redis: Redis, queue_url: str) -> None:
    wakeups = Wakeups.connect(queue_url, clock=CLOCK)
    assert await wakeups.expand_campaign(UUID(int=1))
    await wakeups.close()
    entries: Any = await redis.xrange("queue:campaigns")
    fields = entries[0][1]
    assert fields[b"data"].startswith(b"{")
    assert str(UUID(int=1)).encode() in fields[b"data"]
