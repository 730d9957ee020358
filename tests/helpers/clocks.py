"""A clock that stands still until told to move."""

from datetime import UTC, datetime, timedelta


class StillClock:
    """Tells the time it was set to."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._seconds = 0.0

    def now(self) -> datetime:
        """Returns the moment it stands at."""
        return self._now

    def monotonic(self) -> float:
        """Returns the seconds it was moved by so far."""
        return self._seconds

    def move(self, seconds: float) -> None:
        """Lets time pass."""
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds

    def set_forward(self, seconds: float) -> None:
        """Sets the hands forward: by what the other clock did not count, as in a machine that was paused."""
        self._now += timedelta(seconds=seconds)
