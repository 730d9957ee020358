"""What a worker shows of itself: attempts, pool, the queue as its keeper last saw it, and whether it is ready."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core.clock import Clock
from core.db import Database
from core.health import Check, Readiness
from core.metrics import PoolCollector
from core.metrics_door import watched
from core.migrate import at_head
from core.repositories.backlogs import QueueState
from workers.engine import Engine
from workers.lines import Lines

_READ_SECONDS = 5.0
# Workers take turns at keeping house: what one saw so long ago is for another one to show.
_FRESH_SECONDS = 30.0


class QueueGauges(Collector):
    """Shows what waits in the whole deployment, as this process saw it when it last kept house."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._seen: QueueState | None = None
        self._seen_at = 0.0

    async def read(self, engine: Engine) -> None:
        """Looks at the queue, every few seconds at most; a chore of the keeper."""
        if self._seen is not None and self._age < _READ_SECONDS:
            return
        async with engine.store.connection() as rooms:
            self._seen = await rooms.backlogs.get_queue()
        self._seen_at = self._clock.monotonic()

    def collect(self) -> Iterable[Metric]:
        """Shows what was seen, or nothing when that is long ago."""
        drift = GaugeMetricFamily("chappe_counter_drift", "By how much counters differ from rows, as last recounted.")
        messages = GaugeMetricFamily("chappe_queue_messages", "Messages of all campaigns.", labels=["state"])
        waiting = GaugeMetricFamily(
            "chappe_webhook_oldest_seconds", "How long the oldest unapplied webhook has waited."
        )
        if self._seen is not None and self._age < _FRESH_SECONDS:
            messages.add_metric(["due"], self._seen.due_count)
            messages.add_metric(["claimed"], self._seen.claimed_count)
            messages.add_metric(["in_doubt"], self._seen.unconfirmed_count)
            messages.add_metric(["held"], self._seen.held_count)
            waiting.add_metric([], self._seen.oldest_delivery_seconds)
            drift.add_metric([], self._seen.difference_count)
        return messages, waiting, drift

    @property
    def _age(self) -> float:
        return self._clock.monotonic() - self._seen_at


class LineGauges(Collector):
    """Shows the lines on which calls are open."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def collect(self) -> Iterable[Metric]:
        """Reads the lines as they are now."""
        yield GaugeMetricFamily("chappe_lines_used", "Calls to WhatsApp open now.", value=self._lines.used)
        yield GaugeMetricFamily("chappe_lines_limit", "Calls this process may have open.", value=self._lines.count)
        yield GaugeMetricFamily("chappe_lines_waiting", "Numbers that wait for a line now.", value=self._lines.waiting)


@asynccontextmanager
async def monitored(
    engine: Engine, *, registry: CollectorRegistry, database: Database, gauges: QueueGauges, queue: Check
) -> AsyncIterator[None]:
    """Shows the worker to who watches it, inside the block; raises ListenError when the port is taken."""
    registry.register(PoolCollector(database))
    registry.register(gauges)
    registry.register(LineGauges(engine.lines))
    readiness = Readiness(
        needed={"database": lambda: at_head(database)},
        wanted={"queue": queue},
        is_draining=engine.stopping.is_set,
    )
    async with watched(settings=engine.settings, clock=engine.clock, registry=registry, readiness=readiness):
        yield
