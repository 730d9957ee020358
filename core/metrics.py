"""What is measured, under which name: durations in seconds, and no number or id of a person, message or campaign."""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from core.db import Database

# From what a hit takes to what callers no longer wait for.
_CALL_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WHATSAPP_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_WEBHOOK_LAG_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400)
_LOOP_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


class RpcMetrics:
    """Measures the calls of the gRPC door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._durations = Histogram(
            "chappe_rpc_duration_seconds",
            "How long calls took, by method and final code; its count is the number of calls.",
            ("method", "code"),
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._known: dict[tuple[str, str], Callable[[float], None]] = {}

    def ended(self, method: str, code: str, seconds: float) -> None:
        """Notes one call by its method (`/chappe.v1.…`) and the name of its code."""
        observe = self._known.get((method, code))
        if observe is None:  # looking a child up costs as much as observing
            observe = self._known[method, code] = self._durations.labels(method, code).observe
        observe(seconds)


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
        self._recounts = Counter(
            "chappe_recounts", "Comparisons of a campaign's counters with its rows.", registry=registry
        )
        self.observe_answer: Callable[[float], None] = self._answers.observe
        self.observe_lag: Callable[[float], None] = self._lag.observe

    def sent(self, result: str) -> None:
        """Counts an attempt: ACCEPTED, HELD, NOT_SENT, LOST, or the class of WhatsApp's error."""
        self._sends.labels(result).inc()

    def leases_expired(self, count: int) -> None:
        """Counts messages that came into doubt because their worker was gone."""
        self._leases.inc(count)

    def doubts_ended(self, outcome: str, count: int) -> None:
        """Counts messages out of doubt: RECEIPT, RESENT_ON_EVIDENCE, RESENT_BY_POLICY, or FAILED."""
        self._doubts.labels(outcome).inc(count)

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
