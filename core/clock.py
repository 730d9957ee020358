"""The one place that reads the time: everything else is handed a Clock."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests bring one that stands still until told to move."""

    def now(self) -> datetime:
        """Returns the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never run backwards, for leases and durations."""
        ...


class SystemClock:
    """Reads the clock of this machine."""

    def now(self) -> datetime:
        """Returns the present moment, aware, in UTC."""
        return datetime.now(UTC)

    # Read several times on the way of every call: seconds since an arbitrary point, also while the process is stopped.
    monotonic = staticmethod(time.monotonic)
