"""Simulator, the arithmetic of limits: a token bucket per number and one number per pair; times are arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_PRUNE_EVERY: Final = 50_000


@dataclass(slots=True)
class TokenBucket:
    """Holds at most `capacity` tokens and gains `rate` of them a second."""

    rate: float
    capacity: float
    tokens: float = -1.0
    time: float = 0.0

    def take(self, now: float) -> bool:
        """Takes one token; False when there is none."""
        if self.tokens < 0:
            self.tokens = self.capacity
        else:
            self.tokens = min(self.capacity, self.tokens + (now - self.time) * self.rate)
        self.time = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def resize(self, rate: float) -> None:
        """Changes rate and capacity together, as an upgrade does."""
        self.rate = self.capacity = rate


@dataclass(slots=True)
class PairBuckets:
    """A burst of `capacity`, then one per `seconds`, for each person; one float per person is enough."""

    free_times: dict[str, float] = field(default_factory=dict)
    _prune_at: int = _PRUNE_EVERY

    def take(self, person: str, *, now: float, capacity: int, seconds: float) -> bool:
        """Takes one token of this person; False when there is none."""
        free_time = max(self.free_times.get(person, now), now)
        # The tolerance keeps a float's rounding from refusing exactly at the refill.
        if free_time - now > (capacity - 1) * seconds + 1e-6:
            return False
        self.free_times[person] = free_time + seconds
        if len(self.free_times) > self._prune_at:
            self._prune(now)
        return True

    def _prune(self, now: float) -> None:
        self.free_times = {person: time for person, time in self.free_times.items() if time > now}
        self._prune_at = len(self.free_times) * 2 + _PRUNE_EVERY
