"""The two kinds of bell as one test sees them: rung, heard, counted, and put through what servers go through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import nats as nats_client
from nats.js.errors import NotFoundError
from redis.asyncio import Redis
from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.kicker import AsyncKicker
from taskiq.receiver import Receiver

from core.queue.bells import Bells, open_bells
from core.queue.doorbell import RedisBells
from core.queue.jetstream import JetStreamBells, stream_name

STREAM = "queue:test"
Task = Callable[[str], Awaitable[None]]


class Server(Protocol):
    """Does to a bell's server what happens to servers."""

    async def length(self) -> int:
        """Returns how many rings are kept."""

    async def is_listened_to(self) -> bool:
        """Tells whether it knows of anybody who would hear a ring."""

    async def lose_everything(self) -> None:
        """Deletes all that is kept, also who listens."""


class RedisServer:
    """A Redis, as its operator sees it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def length(self) -> int:
        async with Redis.from_url(self._url) as redis:
            return int(await redis.xlen(STREAM))

    async def is_listened_to(self) -> bool:
        async with Redis.from_url(self._url) as redis:
            return bool(await redis.exists(STREAM)) and bool(await redis.xinfo_groups(STREAM))

    async def lose_everything(self) -> None:
        async with Redis.from_url(self._url) as redis:
            await redis.flushall()


class NatsServer:
    """A NATS server, as its operator sees it."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def length(self) -> int:
        async with await nats_client.connect(self._url) as client:
            try:
                return (await client.jetstream().stream_info(stream_name(STREAM))).state.messages
            except NotFoundError:
                return 0

    async def is_listened_to(self) -> bool:
        async with await nats_client.connect(self._url) as client:
            try:
                return bool(await client.jetstream().consumers_info(stream_name(STREAM)))
            except NotFoundError:
                return False

    async def lose_everything(self) -> None:
        async with await nats_client.connect(self._url) as client:
            streams = client.jetstream()
            for stream in await streams.streams_info():
                await streams.delete_stream(str(stream.config.name))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Bells]:
    """Yields the bells at an address and closes them."""
    bells = open_bells(url)
    try:
        yield bells
    finally:
        await bells.close()


def bell(bells: Bells, name: str = "one", *, patience: float = 60.0, max_length: int = 10_000) -> AsyncBroker:
    """Returns a bell to be heard; what a dead listener heard rings again after that patience, in seconds."""
    assert isinstance(bells, RedisBells | JetStreamBells)
    return bells.listener(STREAM, name=name, luck=lambda: 0.0, patience_seconds=patience, max_length=max_length)


async def ring(broker: AsyncBroker, *texts: str) -> None:
    """Rings once for each text."""
    for text in texts:
        kicker: AsyncKicker[..., None] = AsyncKicker(task_name="note", broker=broker, labels={})
        await kicker.kiq(text)


async def hear(broker: AsyncBroker, task: Task, stop: asyncio.Event, *, limit: int) -> None:
    """Listens until told to stop, as a worker does."""
    broker.register_task(task, task_name="note")
    try:
        await Receiver(broker, max_async_tasks=limit, ack_type=AcknowledgeType.WHEN_EXECUTED).listen(stop)
    finally:
        await broker.shutdown()


@asynccontextmanager
async def listener(broker: AsyncBroker, task: Task, *, limit: int = 4) -> AsyncIterator[asyncio.Event]:
    """Listens in the background; on leaving, or at the event it yields, it stops as a worker does."""
    stop = asyncio.Event()
    listening = asyncio.create_task(hear(broker, task, stop, limit=limit))
    try:
        yield stop
    finally:
        stop.set()
        await listening


def notes() -> tuple[list[str], Task]:
    """Returns what was heard, and the task that notes it."""
    heard: list[str] = []

    async def note(text: str) -> None:
        heard.append(text)

    return heard, note
