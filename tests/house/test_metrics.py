"""The page about metrics names each one there is, of the kind it is, with its labels."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from core.cache import CacheMetrics
from core.clock import SystemClock
from core.metrics import RpcMetrics, SendingMetrics, WebhookMetrics, loop_lag
from server.monitoring import CacheCollector
from tests.house.sources import ROOT
from workers.lines import Lines
from workers.monitoring import LineGauges, QueueGauges

_ROW = re.compile(r"^\| `(chappe_\w+)` \| (\w+) \| ([^|]*)\|", re.MULTILINE)
_POOL = {
    "chappe_pool_connections": "gauge",
    "chappe_pool_limit": "gauge",
    "chappe_pool_waiting": "gauge",
    "chappe_pool_wait_seconds": "summary",
}


def page() -> dict[str, tuple[str, tuple[str, ...]]]:
    text = Path(ROOT, "docs", "metrics.md").read_text()
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in _ROW.findall(text)}


def registry() -> CollectorRegistry:
    made, clock = CollectorRegistry(), SystemClock()
    for measured in (RpcMetrics, SendingMetrics, WebhookMetrics, loop_lag):
        measured(made)
    made.register(CacheCollector(CacheMetrics(clock=clock)))
    made.register(QueueGauges(clock=clock))
    made.register(LineGauges(Lines(1)))
    return made


def test_every_metric_stands_on_the_page_as_what_it_is() -> None:
    kinds = {family.name: family.type for family in registry().collect()}
    assert {name: kind for name, (kind, _) in page().items()} == kinds | _POOL


def test_the_labels_on_the_page_are_those_that_are_kept() -> None:
    for metric in vars(registry())["_collector_to_names"]:
        if isinstance(metric, MetricWrapperBase):
            assert page()[metric._name][1] == metric._labelnames
