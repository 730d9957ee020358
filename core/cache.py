"""Kept replies in Redis, outdated by generations: nothing here ever fails a caller, a cache in trouble is a miss."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self, TypeVar
from uuid import UUID

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.clock import Clock

PREFIX = "cache:"
_GENERATION = PREFIX + "generation:"
Outcome = Literal["hit", "miss", "stale", "bypass"]
T = TypeVar("T")

# A generation that is missing (never raised, or lost with its server) starts at the server's microseconds: it has not
# been there before, so no reply kept under an older one can come back. Those of single campaigns ('/') may go away.
_NEW = """
local function generation(key)
    local value = redis.call('GET', key)
    if not value then
        local time = redis.call('TIME')
        value = string.format('%d%06d', time[1], time[2])
        if string.find(key, '/', 1, true) then
            redis.call('SET', key, value, 'EX', 7200)
        else
            redis.call('SET', key, value)
        end
    end
    return value
end
local function stamp()
    local values = {}
    for index, key in ipairs(KEYS) do values[index] = generation(key) end
    return table.concat(values, '.')
end
"""
# KEYS: generations; ARGV: key of the entry without its stamp. Returns the stamp and the value, if there is one.
_LOOK = _NEW + "local now = stamp() return {now, redis.call('GET', ARGV[1] .. ':' .. now)}"
# The same, and the reply's stamp, the reply, its milliseconds. Keeps it only if the stamp still stands.
_FILL = (
    _NEW
    + """
if stamp() ~= ARGV[2] then return 0 end
redis.call('SET', ARGV[1] .. ':' .. ARGV[2], ARGV[3], 'PX', ARGV[4])
return 1
"""
)
# KEYS: generations. Returns what they are now.
_BUMP = (
    _NEW
    + """
local values = {}
for index, key in ipairs(KEYS) do
    generation(key)
    values[index] = redis.call('INCR', key)
end
return values
"""
)


def campaign_generation(campaign_id: UUID | str) -> str:
    """Names the collection that is one campaign with its messages and counters."""
    return f"campaigns/{campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Names one reply: the method, a digest of the request, and the collections the reply is made of."""

    method: str
    digest: str
    collections: tuple[str, ...]

    @property
    def key(self) -> str:
        """The key without its stamp."""
        return f"{PREFIX}{self.method}:{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Holds a kept reply or none, and the generations that stood then; no stamp: the cache is not to be used."""

    stamp: str = ""
    value: bytes | None = None

    def generations(self, entry: Entry) -> dict[str, int]:
        """Returns the generation of each collection."""
        numbers = [int(number) for number in self.stamp.split(".")] if self.stamp else []
        return dict(zip(entry.collections, numbers, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCounts:
    """Counts how one method's calls were answered."""

    method: str
    hit: int
    miss: int
    stale: int
    bypass: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSnapshot:
    """Shows what the cache of this process did since ``start_time``, and whether it answers."""

    start_time: datetime
    available: bool
    methods: tuple[MethodCounts, ...]

    @property
    def hit_ratio(self) -> float:
        """The share of calls answered from the cache, between 0 and 1; bypasses do not count."""
        hits = sum(counts.hit + counts.stale for counts in self.methods)
        asked = hits + sum(counts.miss for counts in self.methods)
        return hits / asked if asked else 0.0


class CacheMetrics:
    """Counts hits and misses by method."""

    def __init__(self, *, clock: Clock, is_available: Callable[[], bool] = lambda: True) -> None:
        self._start_time = clock.now()
        self._is_available = is_available
        self._counts: Counter[tuple[str, Outcome]] = Counter()

    def count(self, method: str, outcome: Outcome) -> None:
        """Counts one call."""
        self._counts[method, outcome] += 1

    def snapshot(self) -> CacheSnapshot:
        """Returns the counts so far, by method in alphabetical order."""
        methods = sorted({method for method, _ in self._counts})
        return CacheSnapshot(
            start_time=self._start_time,
            available=self._is_available(),
            methods=tuple(self._of(method) for method in methods),
        )

    def _of(self, method: str) -> MethodCounts:
        return MethodCounts(
            method=method,
            hit=self._counts[method, "hit"],
            miss=self._counts[method, "miss"],
            stale=self._counts[method, "stale"],
            bypass=self._counts[method, "bypass"],
        )


class Breaker:
    """Stops asking a server that failed five times in ten seconds; after five seconds one call may try again."""

    def __init__(
        self, *, clock: Clock, failures: int = 5, within_seconds: float = 10.0, rest_seconds: float = 5.0
    ) -> None:
        self._clock = clock
        self._within_seconds = within_seconds
        self._rest_seconds = rest_seconds
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._closed_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are being spared."""
        return self._closed_at is not None

    def allows(self) -> bool:
        """Returns whether to ask; after the rest the first who asks is the probe, and the others go on resting."""
        if self._closed_at is None:
            return True
        if self._clock.monotonic() < self._closed_at:
            return False
        self._closed_at = self._clock.monotonic() + self._rest_seconds
        return True

    def worked(self) -> None:
        """Notes an answer."""
        self._failed_at.clear()
        self._closed_at = None

    def failed(self) -> None:
        """Notes a failure."""
        now = self._clock.monotonic()
        self._failed_at.append(now)
        is_full = len(self._failed_at) == self._failed_at.maxlen
        if self._closed_at is not None or (is_full and now - self._failed_at[0] <= self._within_seconds):
            self._closed_at = now + self._rest_seconds


class Cache:
    """Looks for kept replies, keeps new ones, and outdates what a write changed; use as an async context manager."""

    def __init__(self, *, url: str, clock: Clock, timeout_seconds: float) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),  # a second try would come after the time a caller is made to wait
        )
        self._timeout_seconds = timeout_seconds
        self._look = self._redis.register_script(_LOOK)
        self._fill = self._redis.register_script(_FILL)
        self._bump = self._redis.register_script(_BUMP)
        self._breaker = Breaker(clock=clock)
        self._owed: dict[str, int] = {}
        self._tickets = 0
        self.metrics = CacheMetrics(clock=clock, is_available=lambda: not self._breaker.is_open)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._redis.aclose()

    async def look(self, entry: Entry) -> Found:
        """Looks for a reply; a Found without stamp says that the cache is not to be used now."""
        if self._owed and not await self._pay():
            return Found()
        answer = await self._ask(lambda: self._look(keys=_keys(entry.collections), args=[entry.key]))
        if answer is None:
            return Found()
        stamp, value = answer
        return Found(stamp=stamp.decode(), value=value)

    async def fill(self, entry: Entry, *, stamp: str, value: bytes, ttl_seconds: float) -> bool:
        """Keeps a reply read under that stamp; returns whether it was still the newest."""
        args: list[str | bytes | int] = [entry.key, stamp, value, max(1, round(ttl_seconds * 1000))]
        return await self._ask(lambda: self._fill(keys=_keys(entry.collections), args=args)) == 1

    def owe(self, collections: Iterable[str]) -> None:
        """Remembers that these may have changed: until they are outdated this process looks for nothing."""
        self._tickets += 1
        self._owed.update(dict.fromkeys(collections, self._tickets))

    async def outdate(self, collections: Sequence[str]) -> dict[str, int]:
        """Makes every kept reply of these unreachable, and returns their generations; none when the cache is away."""
        self.owe(collections)
        paid = await self._pay()
        return {name: paid[name] for name in collections if name in paid}

    async def _pay(self) -> dict[str, int]:
        """Outdates all that is owed; a collection owed again meanwhile stays owed."""
        owed = dict(self._owed)
        numbers = await self._ask(lambda: self._bump(keys=_keys(owed)))
        if numbers is None:
            return {}
        for name, ticket in owed.items():
            if self._owed.get(name) == ticket:
                del self._owed[name]
        return dict(zip(owed, numbers, strict=True))

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Asks the server once; none when it is away, slow, full, or spared by the breaker."""
        if not self._breaker.allows():
            return None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                answer = await ask()
        except (RedisError, OSError, TimeoutError):
            self._breaker.failed()
            return None
        self._breaker.worked()
        return answer


def _keys(collections: Iterable[str]) -> list[str]:
    return [_GENERATION + name for name in collections]
