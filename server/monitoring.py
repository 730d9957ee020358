"""What the gRPC door shows of itself: its calls, its pool, its cache, and whether it is ready."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.cache import OUTCOMES, CacheMetrics, CacheSnapshot
from core.db import Database
from core.health import Readiness
from core.metrics import PoolCollector
from core.metrics_door import watched
from core.migrate import at_head
from server.parts import Parts


class CacheCollector(Collector):
    """Shows what the cache of this process did."""

    def __init__(self, metrics: CacheMetrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Reads the cache's counts as they are now."""
        snapshot = self._metrics.snapshot()
        replies = CounterMetricFamily("chappe_cache_replies", "Reads by outcome.", labels=["method", "outcome"])
        for counts in snapshot.methods:
            for outcome in OUTCOMES:
                replies.add_metric([f"/{counts.method}", outcome], getattr(counts, outcome))
        yield replies
        yield from _levels(snapshot)
        yield GaugeMetricFamily("chappe_cache_available", "1 while the cache answers.", value=snapshot.available)
        yield GaugeMetricFamily("chappe_cache_memory_bytes", "Bytes in the process.", value=snapshot.memory_bytes)
        yield CounterMetricFamily("chappe_cache_failures", "Unanswered questions.", value=snapshot.failure_count)


def _levels(snapshot: CacheSnapshot) -> Iterable[Metric]:
    """Shows what each level had for the reads, and how many bytes."""
    looks = CounterMetricFamily("chappe_cache_looks", "Looks by level.", labels=["method", "level", "outcome"])
    served = CounterMetricFamily("chappe_cache_hit_bytes", "Bytes of hits by level.", labels=["method", "level"])
    for counts in snapshot.methods:
        for level in counts.levels:
            for outcome in OUTCOMES:
                looks.add_metric([f"/{counts.method}", level.level, outcome], getattr(level, outcome))
            served.add_metric([f"/{counts.method}", level.level], level.bytes)
    return looks, served


@asynccontextmanager
async def monitored(
    parts: Parts, *, registry: CollectorRegistry, database: Database, is_draining: Callable[[], bool]
) -> AsyncIterator[None]:
    """Shows the door to who watches it, inside the block; raises ListenError when the port is taken."""
    registry.register(PoolCollector(database))
    registry.register(CacheCollector(parts.cache_metrics))
    readiness = Readiness(
        needed={"database": lambda: at_head(database)},
        wanted={"cache": lambda: _answers(parts.cache_metrics), "queue": parts.wakeups.examine},
        is_draining=is_draining,
    )
    async with watched(settings=parts.settings, clock=parts.clock, registry=registry, readiness=readiness):
        yield


async def _answers(metrics: CacheMetrics) -> None:
    if not metrics.snapshot().available:
        raise ConnectionError("the cache is away")
