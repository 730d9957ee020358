"""When a call is made again."""

import grpc
import pytest
from chappe_client import Conflict, LimitReached, NotFound, RetryPolicy, Unavailable, WrongState
from chappe_client.errors import ChappeError, Details

HALF = RetryPolicy(attempts=4, first_delay=1.0, longest_delay=3.0, jitter=lambda: 0.0)
FULL = RetryPolicy(attempts=4, first_delay=1.0, longest_delay=3.0, jitter=lambda: 1.0)


def error(kind: type[ChappeError], *, retry_delay: float | None = None) -> ChappeError:
    return kind("no", code=grpc.StatusCode.UNKNOWN, details=Details(metadata={}, retry_delay=retry_delay))


@pytest.mark.parametrize(("policy", "delays"), [(HALF, [0.5, 1.0, 1.5]), (FULL, [1.0, 2.0, 3.0])])
def test_waits_double_up_to_a_bound_and_vary_by_half(policy: RetryPolicy, delays: list[float]) -> None:
    assert [policy.delay(error(Unavailable), attempt=attempt) for attempt in (1, 2, 3)] == delays
    assert policy.delay(error(Unavailable), attempt=4) is None


@pytest.mark.parametrize("kind", [Conflict, LimitReached, WrongState])
def test_the_servers_own_wait_is_never_cut_short(kind: type[ChappeError]) -> None:
    delay = HALF.delay(error(kind, retry_delay=7.0), attempt=1)
    assert delay is not None
    assert delay >= 7.0
    assert HALF.delay(error(kind), attempt=1) is None


def test_a_plain_refusal_is_final() -> None:
    assert HALF.delay(error(NotFound), attempt=1) is None
