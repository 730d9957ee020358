"""What the cache of a process did: counted by method, level and outcome, to be read at any moment."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from core.clock import Clock

Outcome = Literal["hit", "miss", "stale", "bypass"]
Level = Literal["memory", "redis"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelCounts:
    """Counts what one level answered of one method, and the bytes of its hits."""

    level: Level
    hit: int
    miss: int
    stale: int
    bypass: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCounts:
    """Counts how one method's calls were answered, and what each level had to do with it."""

    method: str
    hit: int
    miss: int
    stale: int
    bypass: int
    levels: tuple[LevelCounts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """Shows how the cache is now: whether Redis is asked, questions it did not answer so far, bytes in the process."""

    available: bool = True
    failure_count: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSnapshot:
    """Shows what the cache of this process did since ``start_time``, and how it is now."""

    start_time: datetime
    available: bool
    methods: tuple[MethodCounts, ...]
    failure_count: int = 0
    memory_bytes: int = 0

    @property
    def hit_ratio(self) -> float:
        """The share of calls answered from the cache, between 0 and 1; bypasses do not count."""
        hits = sum(counts.hit for counts in self.methods)
        asked = hits + sum(counts.miss + counts.stale for counts in self.methods)
        return hits / asked if asked else 0.0


class CacheMetrics:
    """Counts calls by method and outcome, and what each level did for them.

    ``calls`` is keyed by method and outcome, ``levels`` by method, level and outcome, ``bytes`` (of hits) by method and
    level. Methods are paths: `/package.Service/Method`.
    """

    def __init__(self, *, clock: Clock, gauges: Callable[[], Gauges] = Gauges) -> None:
        self._start_time = clock.now()
        self._gauges = gauges
        self.calls: Counter[tuple[str, Outcome]] = Counter()
        self.levels: Counter[tuple[str, Level, Outcome]] = Counter()
        self.bytes: Counter[tuple[str, Level]] = Counter()

    def count(self, method: str, outcome: Outcome) -> None:
        """Counts one call."""
        self.calls[method, outcome] += 1

    def count_level(self, method: str, level: Level, outcome: Outcome, *, size: int = 0) -> None:
        """Counts what one level had for a call; ``size`` is in bytes."""
        self.levels[method, level, outcome] += 1
        self.bytes[method, level] += size

    def snapshot(self) -> CacheSnapshot:
        """Returns the counts so far, by method in alphabetical order."""
        methods = sorted({method for method, _ in self.calls})
        gauges = self._gauges()
        return CacheSnapshot(
            start_time=self._start_time,
            available=gauges.available,
            methods=tuple(self._of(method) for method in methods),
            failure_count=gauges.failure_count,
            memory_bytes=gauges.memory_bytes,
        )

    def _of(self, method: str) -> MethodCounts:
        return MethodCounts(
            method=method.removeprefix("/"),
            hit=self.calls[method, "hit"],
            miss=self.calls[method, "miss"],
            stale=self.calls[method, "stale"],
            bypass=self.calls[method, "bypass"],
            levels=tuple(self._at(method, level) for level in LEVELS),
        )

    def _at(self, method: str, level: Level) -> LevelCounts:
        return LevelCounts(
            level=level,
            hit=self.levels[method, level, "hit"],
            miss=self.levels[method, level, "miss"],
            stale=self.levels[method, level, "stale"],
            bypass=self.levels[method, level, "bypass"],
            bytes=self.bytes[method, level],
        )
