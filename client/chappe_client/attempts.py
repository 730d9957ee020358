"""client: counts the attempts of one call against its deadline."""

import time
from collections.abc import Callable

import grpc

from chappe_client.errors import from_call
from chappe_client.retries import RetryPolicy


class Attempts:
    """Says how long the next attempt may take and how long to wait before it; timeout in seconds, None without end."""

    def __init__(
        self, *, policy: RetryPolicy, timeout: float | None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._policy = policy
        self._clock = clock
        self._end = None if timeout is None else clock() + timeout
        self._made = 0

    def begin(self) -> float | None:
        """Counts one more attempt and returns the seconds it may take."""
        self._made += 1
        return None if self._end is None else max(0.0, self._end - self._clock())

    def delay_after(self, failure: grpc.RpcError) -> float:
        """Returns the seconds to wait before the next attempt; raises the typed error when there is none."""
        error = from_call(failure)
        delay = self._policy.delay(error, attempt=self._made)
        if delay is None or (self._end is not None and self._clock() + delay >= self._end):
            raise error from failure
        return delay
