"""What the cache of a process did: counted by method, level and outcome, to be read at any moment."""

from collections import Counter, defaultdict
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


@dataclass(slots=True)
class Recalled:
    """Counts the hits of one method that memory answered at once, and their bytes: hits of that level, too."""

    hits: int = 0
    bytes: int = 0


_NOT_RECALLED = Recalled()


class CacheMetrics:
    """Counts calls by method and outcome, and what each level did for them.

    Methods are paths: `/package.Service/Method`. What was answered at once is counted apart: the three counters would
    take a tenth of such an answer's time.
    """

    def __init__(self, *, clock: Clock, gauges: Callable[[], Gauges] = Gauges) -> None:
        self._start_time = clock.now()
        self._gauges = gauges
        self._calls: Counter[tuple[str, Outcome]] = Counter()
        self._levels: Counter[tuple[str, Level, Outcome]] = Counter()
        self._bytes: Counter[tuple[str, Level]] = Counter()
        self.recalled: dict[str, Recalled] = defaultdict(Recalled)  # by method; counted where the reply is found

    def count(self, method: str, outcome: Outcome) -> None:
        """Counts one call."""
        self._calls[method, outcome] += 1

    def count_level(self, method: str, level: Level, outcome: Outcome, *, size: int = 0) -> None:
        """Counts what one level had for a call; ``size`` is in bytes."""
        self._levels[method, level, outcome] += 1
        self._bytes[method, level] += size

    def snapshot(self) -> CacheSnapshot:
        """Returns the counts so far, by method in alphabetical order."""
        methods = sorted({method for method, _ in self._calls} | self.recalled.keys())
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
            hit=self._calls[method, "hit"] + self.recalled.get(method, _NOT_RECALLED).hits,
            miss=self._calls[method, "miss"],
            stale=self._calls[method, "stale"],
            bypass=self._calls[method, "bypass"],
            levels=tuple(self._at(method, level) for level in LEVELS),
        )

    def _at(self, method: str, level: Level) -> LevelCounts:
        recalled = self.recalled.get(method, _NOT_RECALLED) if level == "memory" else _NOT_RECALLED
        return LevelCounts(
            level=level,
            hit=self._levels[method, level, "hit"] + recalled.hits,
            miss=self._levels[method, level, "miss"],
            stale=self._levels[method, level, "stale"],
            bypass=self._levels[method, level, "bypass"],
            bytes=self._bytes[method, level] + recalled.bytes,
        )
