"""The way to Redis: one question, one answer in time or none, and a rest for a server that keeps failing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import OutOfMemoryError, RedisError

from core.breaker import Breaker
from core.cache.keys import NOTHING, own
from core.clock import Clock
from core.leaving import leave

T = TypeVar("T")
_log = logging.getLogger(__name__)
# A timeout that fired this much later than it should have was waited for by our own loop, not by the server.
_LATE_SECONDS = 0.01
_MOST_CONNECTIONS = 256


class Server:
    """Asks Redis; an answer that does not come in time, or is an error, is None and never an exception."""

    def __init__(self, *, url: str, clock: Clock, timeout_seconds: float, breaker: Breaker) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            max_connections=_MOST_CONNECTIONS,
            retry=Retry(NoBackoff(), 0),  # a second try would come after the time a caller is made to wait
        )
        # What is asked here has its time from ``_ask`` alone.
        self._lines = redis.ConnectionPool.from_url(url, socket_timeout=None, retry=Retry(NoBackoff(), 0))
        self._idle_lines: list[redis.Connection] = []
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._breaker = breaker
        self.failure_count = 0

    @property
    def is_available(self) -> bool:
        """Whether it is being asked: not while it rests after failures."""
        return not self._breaker.is_open

    def insist(self) -> None:
        """Has it asked from now on also while it fails: for who has no later."""
        self._breaker = Breaker(clock=self._clock, rest_seconds=0.0)

    async def close(self) -> None:
        """Closes the connections; waits a second at most for a server that has stopped, and never fails."""
        for line in self._idle_lines:
            await line.disconnect(nowait=True)  # nothing is under way on them
        await leave(self._redis.aclose())

    def script(self, text: str) -> AsyncScript:
        """Returns a Lua script to be run with ``run``."""
        return self._redis.register_script(text)

    async def run(
        self,
        script: AsyncScript,
        *,
        keys: list[str],
        args: list[str | bytes | int],
        within_seconds: float = float("inf"),
    ) -> list[object] | None:
        """Runs a script on keys of the cache; raises ForeignKeyError for others, before anything is sent."""
        own(keys)
        return await self._ask(lambda: script(keys=keys, args=args), within_seconds=within_seconds)

    async def read_numbers(self, keys: list[str]) -> list[int | None] | None:
        """Returns the number under each key, None where there is none; no answer from a server that takes no writes.

        Nobody could raise those numbers then, so that they say nothing of what changed since.
        """
        own(keys)
        return await self._ask(lambda: self._read_numbers(keys))

    async def delete(self, key: str) -> None:
        """Deletes one key."""
        own([key])
        await self._ask(lambda: self._redis.delete(key))

    async def _read_numbers(self, keys: list[str]) -> list[int | None]:
        # Asked all the time: by way of the library's client and its pool it would cost almost twice as much.
        line = await self._line()
        try:
            await line.send_packed_command(line.pack_commands([("DEL", NOTHING), ("MGET", *keys)]), check_health=False)
            await line.read_response()
            answer = await line.read_response()
        except BaseException:  # cut off as well: an answer still under way would be taken for the next one's
            await line.disconnect(nowait=True)
            raise
        self._idle_lines.append(line)
        return [None if value is None else int(value) for value in answer]

    async def _line(self) -> redis.Connection:
        while self._idle_lines:
            line = self._idle_lines.pop()
            if not await line.can_read():  # else it was closed from the other side, which is no failure
                return line
            await line.disconnect(nowait=True)
        new: redis.Connection = self._lines.make_connection()  # type: ignore[no-untyped-call]  # redis types it not
        return new

    async def _ask(self, ask: Callable[[], Awaitable[T]], *, within_seconds: float = float("inf")) -> T | None:
        if not self._breaker.allows():
            return None
        start = self._clock.monotonic()
        limit = min(self._timeout_seconds, within_seconds)
        try:
            async with asyncio.timeout(limit):
                answer = await ask()
        except Exception as error:  # also what its client makes of an odd answer or of a connection closed under it
            self._failed(error, start, limit)
            return None
        self._breaker.worked()
        return answer

    def _failed(self, error: Exception, start: float, limit: float) -> None:
        if not isinstance(error, RedisError | OSError):
            _log.warning("an answer of the cache's server made no sense", exc_info=error)
        if not self._is_no_fault(error, start, limit):
            self._breaker.failed(asked_at=start)
        self.failure_count += 1

    def _is_no_fault(self, error: Exception, start: float, limit: float) -> bool:
        """Tells what says nothing against the server: it is full but answers, had too little time, or we slept."""
        if isinstance(error, OutOfMemoryError):
            return True
        return isinstance(error, TimeoutError) and (limit < self._timeout_seconds or self._was_late(start, limit))

    def _was_late(self, start: float, limit: float) -> bool:
        return self._clock.monotonic() - start > limit + _LATE_SECONDS
