"""What is measured, under which name: durations in seconds, and no number or id of a person, message or campaign."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from core.db import Database

# From what a hit takes to what callers no longer wait for.
_CALL_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WHATSAPP_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_WEBHOOK_LAG_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400)
_FIRST_RECEIPT_SECONDS: Final = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 86400)
_LOOP_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class RpcMetrics(Collector):
    """Measures the calls of the gRPC door, in its one thread: the library's histogram locks twice for each call."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls: dict[tuple[str, str], _Durations] = {}
        registry.register(self)

    def ended(self, method: str, code: str, seconds: float) -> None:
        """Notes one call by its method (`/chappe.v1.…`) and the name of its code."""
        self.of(method, code)(seconds)

    def of(self, method: str, code: str) -> Callable[[float], None]:
        """Returns what notes a call of that method that ended with that code, for who has many."""
        durations = self._calls.get((method, code))
        if durations is None:
            durations = self._calls[method, code] = _Durations()
        return durations.add

    def collect(self) -> Iterable[Metric]:
        """Shows how many calls took how long."""
        family = HistogramMetricFamily(
            "chappe_rpc_duration_seconds",
            "How long calls took, by method and final code; its count is the number of calls.",
            labels=["method", "code"],
        )
        for labels, durations in self._calls.items():
            family.add_metric(labels, buckets=durations.buckets(), sum_value=durations.sum)
        yield family


class _Durations:
    """Counts durations by the bound they are not above; the last count is of those above all."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(_CALL_SECONDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """Counts one more."""
        self.counts[bisect_left(_CALL_SECONDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Returns the counts as Prometheus has them: each bound with all that is not above it."""
        bounds = [*(str(float(bound)) for bound in _CALL_SECONDS), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


class SendingMetrics:
    """Measures what a worker does with messages."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sends = Counter("chappe_sends", "Attempts by what came of them.", ("result",), registry=registry)
        self._answers = Histogram(
            "chappe_cloud_api_duration_seconds",
            "How long WhatsApp took to answer a message.",
            buckets=_WHATSAPP_SECONDS,
            registry=registry,
        )
        self._leases = Counter("chappe_lease_expiries", "Messages whose lease ended unsettled.", registry=registry)
        self._doubts = Counter(
            "chappe_doubts", "Messages in doubt by what became of them.", ("outcome",), registry=registry
        )
        self._doubles = Counter(
            "chappe_doubles_detected", "Messages proven to be accepted twice, when it was noticed.", registry=registry
        )
        self._lag = Histogram(
            "chappe_webhook_lag_seconds",
            "From the time WhatsApp gives a receipt to its being applied, the latest of each message in a batch.",
            buckets=_WEBHOOK_LAG_SECONDS,
            registry=registry,
        )
        self._first_receipts = Histogram(
            "chappe_first_receipt_seconds",
            "From WhatsApp's answer to the first receipt that was applied of a message, by our own clock.",
            buckets=_FIRST_RECEIPT_SECONDS,
            registry=registry,
        )
        self._late_receipts = Counter(
            "chappe_late_receipts", "Messages first heard of later than the grace.", registry=registry
        )
        self._recounts = Counter("chappe_recounts", "Comparisons of counters with what they count.", registry=registry)
        self.observe_answer: Callable[[float], None] = self._answers.observe
        self.observe_lag: Callable[[float], None] = self._lag.observe

    def sent(self, result: str) -> None:
        """Counts an attempt: ACCEPTED, HELD, NOT_SENT, LOST, or the class of WhatsApp's error."""
        self._sends.labels(result).inc()

    def leases_expired(self, count: int) -> None:
        """Counts messages that came into doubt because their worker was gone."""
        self._leases.inc(count)

    def doubts_ended(self, outcome: str, count: int) -> None:
        """Counts messages out of doubt: RECEIPT, {RESENT,CANCELLED}_ON_EVIDENCE, RESENT_BY_POLICY, or FAILED."""
        self._doubts.labels(outcome).inc(count)

    def first_heard(self, delays: Sequence[float], *, late_count: int) -> None:
        """Notes how many seconds after WhatsApp's answer messages were first heard of, and how many too late."""
        for seconds in delays:
            self._first_receipts.observe(seconds)
        self._late_receipts.inc(late_count)

    def recounted(self) -> None:
        """Counts a comparison of counters with rows."""
        self._recounts.inc()

    def doubles_found(self, count: int) -> None:
        """Counts messages just proven to be doubles."""
        self._doubles.inc(count)


class WebhookMetrics:
    """Measures the webhook door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "chappe_webhooks", "Calls of the webhook door by HTTP status.", ("status",), registry=registry
        )
        self._unsigned = Counter(
            "chappe_webhook_signature_failures", "Bodies without a signature, or with a wrong one.", registry=registry
        )
        self._commits = Histogram(
            "chappe_webhook_commit_seconds",
            "How long it took to make waiting bodies durable, per commit.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        self.observe_commit: Callable[[float], None] = self._commits.observe

    def answered(self, status: int) -> None:
        """Counts one call."""
        self._answers.labels(str(status)).inc()

    def refused_signature(self) -> None:
        """Counts a body that WhatsApp did not sign."""
        self._unsigned.inc()


class PoolCollector(Collector):
    """Shows the connections to PostgreSQL: in use, idle, waited for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[Metric]:
        """Reads the pool as it is now."""
        use = self._database.use
        connections = GaugeMetricFamily("chappe_pool_connections", "Connections to PostgreSQL.", labels=["state"])
        connections.add_metric(["used"], use.used)
        connections.add_metric(["idle"], use.idle)
        yield connections
        yield GaugeMetricFamily("chappe_pool_limit", "Connections this process may open.", value=use.limit)
        yield GaugeMetricFamily("chappe_pool_waiting", "Who waits for a connection now.", value=use.waiting)
        yield SummaryMetricFamily(
            "chappe_pool_wait_seconds",
            "How long connections were waited for.",
            count_value=use.wait_count,
            sum_value=use.wait_seconds,
        )


def loop_lag(registry: CollectorRegistry) -> Callable[[float], None]:
    """Returns what notes how late a process's loop came."""
    lag = Histogram(
        "chappe_loop_lag_seconds", "How late the event loop came.", buckets=_LOOP_SECONDS, registry=registry
    )
    return lag.observe
