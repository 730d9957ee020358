"""The one place that reads the time: everything else is handed a Clock."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests bring one that stands still until told to move."""

    def now(self) -> datetime:
        """Returns the present moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Returns seconds that never run backwards, for leases and durations."""
        ...


def _monotonic() -> Callable[[], float]:
    """Returns what reads the seconds since the machine's start, those in which it was suspended included.

    `time.monotonic` leaves these out on Linux: a lease would hold on for as long as the machine slept.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    return time.monotonic


class SystemClock:
    """Reads the clock of this machine."""

    def now(self) -> datetime:
        """Returns the present moment, aware, in UTC."""
        return datetime.now(UTC)

    # Read several times on the way of every call: seconds since an arbitrary point, also while the process is stopped.
    monotonic = staticmethod(_monotonic())
