"""What a campaign waits for, in the order in which it matters to whoever looks."""

from typing import Any

import pytest

from core.domain.campaigns import CampaignState
from core.domain.senders import SenderState
from core.domain.waiting import Backlog, remaining_seconds, waiting_reason


def backlog(**changes: Any) -> Backlog:
    """A running campaign that has nothing left to do, but for what the test says."""
    values: dict[str, Any] = {
        "campaign_state": CampaignState.RUNNING,
        "sender_state": SenderState.ACTIVE,
        "bound_per_second": 80.0,
        "is_expanding": False,
        "has_due": False,
        "has_later": False,
        "sending_count": 0,
        "unconfirmed_count": 0,
        "held_count": 0,
    }
    return Backlog(**values | changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ""),
        ({"campaign_state": CampaignState.SCHEDULED, "has_due": True}, "SCHEDULED"),
        ({"campaign_state": CampaignState.PAUSED, "has_due": True}, "PAUSED"),
        ({"campaign_state": CampaignState.COMPLETED, "held_count": 1}, ""),
        ({"sender_state": SenderState.PAUSED, "has_due": True}, "SENDER_PAUSED"),
        ({"is_expanding": True, "unconfirmed_count": 1}, "EXPANDING"),
        ({"is_expanding": True, "has_later": True}, "RETRIES_WAITING"),
        ({"sending_count": 1, "unconfirmed_count": 1}, ""),
        ({"has_later": True, "unconfirmed_count": 1}, "RETRIES_WAITING"),
        ({"unconfirmed_count": 1, "held_count": 1}, "UNCONFIRMED"),
        ({"held_count": 1}, "HELD"),
    ],
)
def test_the_first_thing_that_keeps_it_is_told(changes: dict[str, Any], expected: str) -> None:
    assert waiting_reason(backlog(**changes), per_second=0, is_throttled=False) == expected


@pytest.mark.parametrize(
    ("per_second", "is_throttled", "expected"),
    [(0, False, ""), (40, False, ""), (70, False, "PACE"), (70, True, "THROTTLED"), (0, True, "THROTTLED")],
)
def test_what_bounds_the_speed_is_told(per_second: float, is_throttled: bool, expected: str) -> None:
    assert waiting_reason(backlog(has_due=True), per_second=per_second, is_throttled=is_throttled) == expected


@pytest.mark.parametrize(
    ("changes", "reason", "waiting_count", "per_second", "expected"),
    [
        ({}, "", 80, 40.0, 2.0),
        ({}, "PACE", 80, 40.0, 2.0),
        ({}, "", 80, 0.0, None),
        ({}, "", 0, 0.0, 0.0),
        ({}, "HELD", 0, 40.0, None),
        ({}, "RETRIES_WAITING", 80, 40.0, None),
        ({"is_expanding": True}, "", 80, 40.0, None),
        ({"campaign_state": CampaignState.CANCELLED}, "", 80, 40.0, None),
    ],
)
def test_time_is_left_only_while_messages_leave(
    changes: dict[str, Any], reason: str, waiting_count: int, per_second: float, expected: float | None
) -> None:
    left = remaining_seconds(backlog(**changes), reason=reason, waiting_count=waiting_count, per_second=per_second)
    assert left == expected
