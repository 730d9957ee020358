"""Sparing a server that fails."""

from collections import deque

from core.clock import Clock


class Breaker:
    """Stops asking a server that failed; after a rest one call may try again, and the others go on resting.

    What it takes to open, and how long it rests, are arguments: five failures in ten seconds, and five seconds.
    What fails together is one failure: of many who ask, a moment's standstill would look like a server that is gone.
    """

    def __init__(
        self, *, clock: Clock, failures: int = 5, within_seconds: float = 10.0, rest_seconds: float = 5.0
    ) -> None:
        self._clock = clock
        self._within_seconds = within_seconds
        self._rest_seconds = rest_seconds
        self._failed_at: deque[float] = deque(maxlen=failures)
        self._rests_until: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are being spared."""
        return self._rests_until is not None

    def allows(self) -> bool:
        """Returns whether to ask; after the rest the first who asks is the probe, and the others go on resting."""
        if self._rests_until is None:
            return True
        if self._clock.monotonic() < self._rests_until:
            return False
        self._rests_until = self._clock.monotonic() + self._rest_seconds
        return True

    def worked(self) -> None:
        """Notes an answer."""
        self._failed_at.clear()
        self._rests_until = None

    def failed(self, *, asked_at: float) -> None:
        """Notes a failure; one of a call that had asked (monotonic seconds) before the last failure is part of that."""
        now = self._clock.monotonic()
        if not self._failed_at or asked_at >= self._failed_at[-1]:
            self._failed_at.append(now)
        is_full = len(self._failed_at) == self._failed_at.maxlen
        if self._rests_until is not None or (is_full and now - self._failed_at[0] <= self._within_seconds):
            self._rests_until = now + self._rest_seconds
