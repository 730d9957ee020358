"""The bell on a Redis stream, as a Taskiq broker: it may lose a ring, but never its voice."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from taskiq import AckableMessage, AsyncBroker, BrokerMessage

from core.cancellation import end, endable
from core.leaving import leave
from core.queue.listening import MAX_DELIVERIES, MAX_LENGTH, Backoff, acknowledgement, tell_unheard
from core.settings import SettingsError

_log = logging.getLogger(__name__)

GROUP = "workers"
_DATA = b"data"
_TIMEOUT_SECONDS = 0.5
_BLOCK_MILLISECONDS = 1000
_RECLAIM_SECONDS = 2.0
# A live consumer is heard of at each reclaim, also while all its slots are busy; after so many it must be dead.
_DEAD_RECLAIMS = 5
# Who stops does not wait for a server that says nothing: what it heard rings again for others, once it counts as dead.
_LEAVE_SECONDS = 2.0
_FAULTS = (RedisError, OSError, TimeoutError)


class EvictingServerError(SettingsError):
    """The server would delete rings when its memory is full."""


class RedisBells:
    """Opens bells on the streams of one Redis; nothing is asked before the first ring."""

    def __init__(self, url: str) -> None:
        """Takes the server's address."""
        self._redis = connect_queue(url)

    def ringer(self, stream: str) -> "DoorbellBroker":
        """Returns a bell that is only rung."""
        return self.listener(stream, name="", luck=lambda: 0.0)

    def listener(
        self,
        stream: str,
        *,
        name: str,
        luck: Callable[[], float],
        patience_seconds: float = _RECLAIM_SECONDS * _DEAD_RECLAIMS,
        max_length: int = MAX_LENGTH,
    ) -> "DoorbellBroker":
        """Returns a bell that is heard as well; what a dead listener heard rings again after that patience."""
        return DoorbellBroker(
            redis=self._redis,
            stream=stream,
            consumer=name,
            luck=luck,
            reclaim_seconds=patience_seconds / _DEAD_RECLAIMS,
            max_length=max_length,
        )

    async def examine(self) -> str:
        """Says what answers; raises EvictingServerError, and ConnectionError when nobody does."""
        try:
            return await refuse_eviction(self._redis)
        except _FAULTS as error:
            raise ConnectionError(f"the queue's server does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """Closes the connections."""
        await leave(self._redis.aclose())


class DoorbellBroker(AsyncBroker):
    """Rings and hears one stream; entries are read one by one as slots become free, and deleted once answered."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        consumer: str,
        luck: Callable[[], float],
        reclaim_seconds: float = _RECLAIM_SECONDS,
        max_length: int = MAX_LENGTH,
    ) -> None:
        """Takes a client, the stream, a name for this process, and a source of numbers in [0, 1)."""
        super().__init__()
        self._redis = redis
        self._stream = stream
        self._consumer = consumer
        self._backoff = Backoff(luck)
        self._reclaim_seconds = reclaim_seconds
        self._max_length = max_length
        self._dead_milliseconds = int(reclaim_seconds * _DEAD_RECLAIMS * 1000)
        self._reclaimed: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self._ready = False

    async def kick(self, message: BrokerMessage) -> None:
        """Rings; raises when Redis is away."""
        await self._redis.xadd(self._stream, {_DATA: message.message}, maxlen=self._max_length, approximate=True)

    async def listen(self) -> AsyncGenerator[bytes | AckableMessage, None]:
        """Yields rings for ever: Redis may go away, lose everything and come back meanwhile."""
        reclaiming = asyncio.create_task(self._reclaim_for_ever())
        try:
            while True:
                entry = await self._next()
                if entry is not None:
                    answer = partial(self._forget, entry[0])
                    yield AckableMessage(data=entry[1], ack=acknowledgement(answer, faults=_FAULTS))
        finally:
            await end(reclaiming)

    async def shutdown(self) -> None:
        """Gives back what was heard but not begun, and takes this process's name off the group; soon gives up."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await endable(self._leave())
        except _FAULTS as error:
            _log.warning("the bell was left without a word", extra={"error": type(error).__name__})
        await super().shutdown()

    async def _next(self) -> tuple[bytes, bytes] | None:
        if not self._reclaimed.empty():
            return self._reclaimed.get_nowait()
        try:
            return await endable(self._read())
        except (*_FAULTS, EvictingServerError) as error:
            self._ready = False
            tell_unheard(error)
            await self._backoff.wait()
            return None

    async def _read(self) -> tuple[bytes, bytes] | None:
        await self._prepare()
        try:
            reply: Any = await self._redis.xreadgroup(
                GROUP, self._consumer, {self._stream: ">"}, count=1, block=_BLOCK_MILLISECONDS
            )
        except ResponseError as error:
            # The stream was deleted, and our group with it.
            if "NOGROUP" not in str(error) and "UNBLOCKED" not in str(error):
                raise
            self._ready = False
            return None
        self._backoff.reset()
        entries = _entries(reply)
        return entries[0] if entries else None

    async def _prepare(self) -> None:
        if self._ready:
            return
        await refuse_eviction(self._redis)
        try:
            # From 0: what was rung before anybody listened counts as well.
            await self._redis.xgroup_create(self._stream, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._ready = True

    async def _forget(self, entry_id: bytes) -> None:
        async with self._redis.pipeline(transaction=True) as both:
            _ = both.xack(self._stream, GROUP, entry_id)
            _ = both.xdel(self._stream, entry_id)
            await both.execute()

    async def _reclaim_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._reclaim_seconds)  # noqa: TID251  # cancelled when the worker stops
            try:
                await self._reclaim()
            except _FAULTS as error:
                _log.debug("nothing was reclaimed", extra={"error": type(error).__name__})

    async def _reclaim(self) -> None:
        """Shows that this consumer lives, and takes over what dead ones have heard and not answered."""
        await self._redis.xautoclaim(self._stream, GROUP, self._consumer, min_idle_time=2**40, count=1)
        for consumer in await self._redis.xinfo_consumers(self._stream, GROUP):
            if consumer["name"] == self._consumer.encode() or consumer["idle"] < self._dead_milliseconds:
                continue
            if consumer["pending"]:
                await self._take_over(consumer["name"])
            else:
                await self._redis.xgroup_delconsumer(self._stream, GROUP, consumer["name"])

    async def _take_over(self, dead: bytes) -> None:
        pending: Any = await self._redis.xpending_range(
            self._stream, GROUP, min="-", max="+", count=100, consumername=dead.decode()
        )
        worn_out = [entry["message_id"] for entry in pending if entry["times_delivered"] >= MAX_DELIVERIES]
        for entry_id in worn_out:
            _log.error("a ring was dropped: nobody came to answer it", extra={"entry": str(entry_id)})
            await self._forget(entry_id)
        ids = [entry["message_id"] for entry in pending if entry["message_id"] not in worn_out]
        if not ids:
            return
        claimed: Any = await self._redis.xclaim(self._stream, GROUP, self._consumer, self._dead_milliseconds, ids)
        for entry_id, fields in claimed:
            if fields:
                self._reclaimed.put_nowait((entry_id, fields[_DATA]))

    async def _leave(self) -> None:
        mine: Any = await self._redis.xreadgroup(GROUP, self._consumer, {self._stream: "0"}, count=1000)
        for entry_id, data in _entries(mine):
            await self._redis.xadd(self._stream, {_DATA: data}, maxlen=self._max_length, approximate=True)
            await self._forget(entry_id)
        await self._redis.xgroup_delconsumer(self._stream, GROUP, self._consumer)


def connect_queue(url: str) -> Redis:
    """Returns a client for the queue's server; commands that block may take longer than the others."""
    return Redis.from_url(url, socket_connect_timeout=_TIMEOUT_SECONDS, socket_timeout=5.0)


async def refuse_eviction(redis: Redis) -> str:
    """Returns the server's policy; raises EvictingServerError when it may delete keys; one that hides it is trusted."""
    try:
        policy: Any = await redis.config_get("maxmemory-policy")
    except ResponseError:
        _log.warning("the queue's server does not tell whether it evicts")
        return "does not tell whether it evicts"
    value = policy.get("maxmemory-policy", policy.get(b"maxmemory-policy", b"noeviction"))
    text = value.decode() if isinstance(value, bytes) else str(value)
    if text != "noeviction":
        raise EvictingServerError(f"the queue's server evicts ({text}); it needs maxmemory-policy noeviction")
    return text


def _entries(reply: Any) -> list[tuple[bytes, bytes]]:  # noqa: ANN401  # redis-py types no reply
    """Reads what XREADGROUP answers, in either protocol; entries that were deleted meanwhile are left out."""
    if not reply:
        return []
    streams = reply.values() if isinstance(reply, dict) else [entries for _, entries in reply]
    flat: list[Any] = []
    for entries in streams:
        # RESP3 wraps the entries of a stream in one more list.
        flat += entries[0] if isinstance(reply, dict) and entries and isinstance(entries[0], list) else entries
    return [(entry_id, fields[_DATA]) for entry_id, fields in flat if fields and _DATA in fields]
