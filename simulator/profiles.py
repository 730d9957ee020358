"""Simulator, profiles: three sets of figures as data; what a profile leaves out is the reference default."""

from __future__ import annotations

from typing import Any, Final

from simulator.settings import Settings, patch

# `realistic` is the reference's own table of defaults, so it changes nothing.
PROFILES: Final[dict[str, dict[str, Any]]] = {
    "realistic": {},
    # All receipts of a message within 60 s of real time; the clock runs true, so no timestamp lies in the future.
    "demo": {
        # Among thousands of arbitrary numbers some end in a fated suffix, and one of those pauses the template.
        "suffixes": False,
        "timeline": {
            "latency_median": 0.025,
            "latency_p99": 0.09,
            "slow_rate": 0.0,
            "drop_rate": 0.0,
            "sent_delay": [0.1, 1.0],
            "delivered_delay": [0.5, 3.0],
            "late_delay": [5.0, 15.0],
            "read_delay": [1.0, 25.0],
            "failure_rate": 0.01,
            "held_delay": [5.0, 15.0],
        },
        "webhooks": {
            "reorder_delay": [0.2, 2.0],
            "duplicate_delay": [0.0, 2.0],
            "retry_delays": [0.0, 1.0, 2.0, 4.0, 5.0],
        },
        "templates": {"review_delay": [1.0, 5.0]},
    },
    # For tests: quick, and without any fault that was not asked for.
    "fast": {
        "timeline": {
            "latency_median": 0.0,
            "latency_p99": 0.0,
            "slow_rate": 0.0,
            "drop_rate": 0.0,
            "sent_before_answer_rate": 0.0,
            "sent_delay": [0.01, 0.1],
            "delivered_delay": [0.02, 0.2],
            "late_rate": 0.0,
            "undelivered_rate": 0.0,
            "read_rate": 1.0,
            "read_delay": [0.02, 0.2],
            "read_only_rate": 0.0,
            "failure_rate": 0.0,
            "failure_delay": [0.02, 0.1],
            "held_delay": [0.3, 0.6],
            "repeat_delay": 0.5,
        },
        "webhooks": {
            "reorder_rate": 0.0,
            "duplicate_rate": 0.0,
            "retry_delays": [0.0, 0.1, 0.2, 0.5, 1.0],
        },
        "templates": {"review_delay": [0.05, 0.1]},
    },
}


def settings_for(profile: str) -> Settings:
    """Returns fresh settings for a profile; raises KeyError for an unknown one."""
    settings = Settings(profile=profile)
    patch(settings, PROFILES[profile])
    return settings
