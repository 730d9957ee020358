"""Receipts later than the grace: counted, and said once a minute at most."""

import logging

import pytest
from prometheus_client import CollectorRegistry

from core.metrics import SendingMetrics
from tests.helpers.clocks import StillClock
from workers.lateness import Lateness


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def lateness(registry: CollectorRegistry, clock: StillClock) -> Lateness:
    return Lateness(clock=clock, metrics=SendingMetrics(registry), grace_seconds=25)


def test_what_comes_within_the_grace_is_measured_and_nothing_is_said(
    lateness: Lateness, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    lateness.heard([0.3, 25.0])
    assert registry.get_sample_value("chappe_first_receipt_seconds_count") == 2
    assert registry.get_sample_value("chappe_late_receipts_total") == 0
    assert not caplog.records


def test_later_ones_are_counted_and_said_once_a_minute_with_how_late_the_latest_was(
    lateness: Lateness, registry: CollectorRegistry, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    for seconds in ([90.0, 1.0], [91.4], [40.0], []):
        lateness.heard(seconds)
        clock.move(20)
    lateness.heard([30.0])
    assert registry.get_sample_value("chappe_late_receipts_total") == 4
    said = [vars(record) for record in caplog.records if record.levelno == logging.WARNING]
    assert [(one["count"], one["seconds"], one["grace_seconds"]) for one in said] == [(1, 90, 25), (3, 91, 25)]
