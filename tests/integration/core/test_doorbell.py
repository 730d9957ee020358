"""The bell under faults: it may ring twice or late, but whoever listens hears it again whatever Redis went through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis
from taskiq.acks import AcknowledgeType
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver

from core.doorbell import GROUP, DoorbellBroker, EvictingServerError, refuse_eviction
from core.wakeups import Wakeups
from tests.helpers.eventually import eventually

STREAM = "queue:test"
Task = Callable[[str], Awaitable[None]]


@pytest.fixture
async def redis(queue_url: str) -> AsyncIterator[Redis]:
    """A client of the emptied queue server."""
    client = Redis.from_url(queue_url)
    yield client
    await client.aclose()


def bell(redis: Redis, consumer: str = "one", *, reclaim_seconds: float = 2.0) -> DoorbellBroker:
    return DoorbellBroker(
        redis=redis, stream=STREAM, consumer=consumer, luck=lambda: 0.0, reclaim_seconds=reclaim_seconds
    )


async def ring(broker: DoorbellBroker, *texts: str) -> None:
    for text in texts:
        kicker: AsyncKicker[..., None] = AsyncKicker(task_name="note", broker=broker, labels={})
        await kicker.kiq(text)


@asynccontextmanager
async def listener(broker: DoorbellBroker, task: Task, *, limit: int = 4) -> AsyncIterator[None]:
    """Listens in the background; on leaving it stops as a worker does."""
    broker.register_task(task, task_name="note")
    receiver = Receiver(broker, max_async_tasks=limit, ack_type=AcknowledgeType.WHEN_EXECUTED)
    stop = asyncio.Event()
    listening = asyncio.create_task(receiver.listen(stop))
    try:
        yield
    finally:
        stop.set()
        await listening
        await broker.shutdown()


def notes() -> tuple[list[str], Task]:
    heard: list[str] = []

    async def note(text: str) -> None:
        heard.append(text)

    return heard, note


async def test_what_was_rung_before_anybody_listened_is_heard(redis: Redis) -> None:
    heard, note = notes()
    await ring(bell(redis), "a", "b")
    async with listener(bell(redis), note):
        await eventually(lambda: sorted(heard) == ["a", "b"])


async def test_answered_rings_are_deleted(redis: Redis) -> None:
    heard, note = notes()
    broker = bell(redis)
    async with listener(broker, note):
        await ring(broker, *map(str, range(50)))
        await eventually(lambda: len(heard) == 50)
    assert await redis.xlen(STREAM) == 0
    assert sorted(heard) == sorted(set(heard))


async def test_a_bell_that_lost_everything_rings_again(redis: Redis) -> None:
    heard, note = notes()
    broker = bell(redis)
    async with listener(broker, note):
        await ring(broker, "before")
        await eventually(lambda: heard == ["before"])
        await redis.flushall()
        await ring(broker, "after")
        await eventually(lambda: heard == ["before", "after"], 15)


async def test_a_dropped_connection_neither_ends_the_listening_nor_cuts_a_task(redis: Redis) -> None:
    finished: list[str] = []
    gate, begun = asyncio.Event(), asyncio.Event()

    async def slow(text: str) -> None:
        begun.set()
        await gate.wait()
        finished.append(text)

    async with listener(bell(redis), slow):
        await ring(bell(redis), "long")
        await begun.wait()
        for client in await redis.client_list():
            await redis.client_kill_filter(_id=client["id"], skipme=True)
        gate.set()
        await ring(bell(redis), "next")
        await eventually(lambda: finished == ["long", "next"], 15)


async def test_a_slow_task_keeps_no_others_waiting_behind_it(redis: Redis) -> None:
    """Entries are taken one by one as slots become free: two listeners share what one cannot do."""
    heard, note = notes()
    gate = asyncio.Event()

    async def stuck(text: str) -> None:
        if text == "stuck":
            await gate.wait()
        await note(text)

    await ring(bell(redis), "stuck", *map(str, range(20)))
    async with listener(bell(redis, "one"), stuck, limit=1), listener(bell(redis, "two"), stuck, limit=1):
        await eventually(lambda: len(heard) == 20)
        gate.set()
        await eventually(lambda: len(heard) == 21)
    assert len(set(heard)) == 21


async def test_what_a_dead_listener_heard_is_taken_over_while_the_bell_is_quiet(redis: Redis) -> None:
    heard, note = notes()
    await ring(bell(redis), "orphan")
    await redis.xgroup_create(STREAM, GROUP, id="0")
    await redis.xreadgroup(GROUP, "dead", {STREAM: ">"}, count=1)
    entry_id = (await redis.xpending_range(STREAM, GROUP, min="-", max="+", count=1))[0]["message_id"]
    # As if it had died a minute ago.
    await redis.xclaim(STREAM, GROUP, "dead", 0, (entry_id,), idle=60_000)
    async with listener(bell(redis, reclaim_seconds=0.1), note):
        await eventually(lambda: heard == ["orphan"], 20)


async def test_a_clean_stop_leaves_no_listener_behind_in_the_group(redis: Redis) -> None:
    heard, note = notes()
    broker = bell(redis)
    async with listener(broker, note):
        await ring(broker, "a")
        await eventually(lambda: heard == ["a"])
    assert await redis.xinfo_consumers(STREAM, GROUP) == []


async def test_a_server_that_evicts_is_refused(redis: Redis) -> None:
    await refuse_eviction(redis)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(EvictingServerError):
            await refuse_eviction(redis)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")


async def test_ringing_without_redis_is_no_failure_of_the_caller() -> None:
    wakeups = Wakeups.connect("redis://127.0.0.1:1/0")
    assert not await wakeups.pump_sender(UUID(int=1))
    assert wakeups.lost_count == 1
    await wakeups.close()


async def test_a_ring_carries_an_id_and_is_json(redis: Redis, queue_url: str) -> None:
    wakeups = Wakeups.connect(queue_url)
    assert await wakeups.expand_campaign(UUID(int=1))
    await wakeups.close()
    entries: Any = await redis.xrange("queue:campaigns")
    fields = entries[0][1]
    assert fields[b"data"].startswith(b"{")
    assert str(UUID(int=1)).encode() in fields[b"data"]
