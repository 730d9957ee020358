"""Settings that can be changed while the simulator runs."""

import pytest

from simulator.profiles import PROFILES, settings_for
from simulator.settings import Settings, as_json, patch
from simulator.shapes import ShapeError


def test_nested_settings_are_changed_in_place() -> None:
    settings = Settings()
    timeline = settings.timeline
    patch(settings, {"timeline": {"drop_rate": 1, "sent_delay": [0, 1]}, "webhooks": {"retry_delays": [0, 1, 5]}})
    assert timeline.drop_rate == 1.0
    assert timeline.sent_delay == (0.0, 1.0)
    assert settings.webhooks.retry_delays == [0, 1, 5]


@pytest.mark.parametrize(
    "changes",
    [
        {"nothing": 1},
        {"timeline": {"nothing": 1}},
        {"timeline": 5},
        {"timeline": {"drop_rate": "often"}},
        {"timeline": {"sent_delay": [1]}},
        {"limits": {"throughput": 1}},
        {"limits": {"pair_capacity": 1.5}},
        {"seed": True},
    ],
)
def test_a_change_that_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ShapeError):
        patch(Settings(), changes)


def test_a_refused_change_leaves_everything_as_it_was() -> None:
    settings = Settings()
    before = as_json(settings)
    with pytest.raises(ShapeError):
        patch(settings, {"timeline": {"drop_rate": 0.5, "nothing": 1}})
    assert as_json(settings) == before


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_fits_the_settings(profile: str) -> None:
    assert settings_for(profile).profile == profile


def test_the_fast_profile_has_no_fault_that_was_not_asked_for() -> None:
    settings = settings_for("fast")
    timeline, webhooks = settings.timeline, settings.webhooks
    rates = (timeline.slow_rate, timeline.drop_rate, timeline.failure_rate, timeline.undelivered_rate)
    assert not any((*rates, webhooks.reorder_rate, webhooks.duplicate_rate))
