"""Simulator, time: a clock that can run fast, stand still or jump, and the one timer that waits on it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable

_log = logging.getLogger("simulator.clock")
_SMALLEST_WAIT = 0.005


class Clock:
    """Simulated Unix time in seconds; `factor` simulated seconds pass in one real second."""

    def __init__(
        self,
        *,
        factor: float = 1.0,
        start: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._factor = factor
        self._base = time.time() if start is None else start
        self._anchor = monotonic()
        self._listeners: list[Callable[[], None]] = []

    @property
    def factor(self) -> float:
        """Simulated seconds in one real second."""
        return self._factor

    def now(self) -> float:
        """Returns the simulated Unix time."""
        return self._base + (self._monotonic() - self._anchor) * self._factor

    def real(self) -> float:
        """Returns the monotonic real time, for what is about the machine and not about WhatsApp."""
        return self._monotonic()

    def real_wait(self, due_time: float) -> float | None:
        """Returns the real seconds until a simulated time, None while the clock stands still."""
        ahead = due_time - self.now()
        if ahead <= 0:
            return 0.0
        return ahead / self._factor if self._factor > 0 else None

    def set_factor(self, factor: float) -> None:
        """Changes the speed from now on; 0 stops the clock."""
        self._base, self._anchor = self.now(), self._monotonic()
        self._factor = factor
        self._changed()

    def advance(self, seconds: float) -> None:
        """Jumps forward by simulated seconds."""
        self._base += seconds
        self._changed()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Calls back whenever the clock was moved or changed its speed."""
        self._listeners.append(listener)

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


class Agenda:
    """Everything that will happen at a simulated time: one heap and one real timer, whatever the number of entries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_time = 0.0
        clock.on_change(self._rearm)

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, due_time: float, action: Callable[[float], None]) -> None:
        """Calls `action(due_time)` once the simulated clock has reached that time."""
        heapq.heappush(self._heap, (due_time, next(self._numbers), action))
        if self._timer is None or due_time < self._timer_time:
            self._rearm()

    def clear(self) -> None:
        """Forgets everything that was planned."""
        self._heap.clear()
        self._rearm()

    def run_due(self) -> None:
        """Does what is due now, in the order of its time."""
        heap = self._heap
        now = self._clock.now()
        while heap and heap[0][0] <= now:
            due_time, _, action = heapq.heappop(heap)
            try:
                action(due_time)
            except Exception:
                _log.exception("a planned action failed")

    def _tick(self) -> None:
        self._timer = None
        self.run_due()
        self._rearm()

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._heap:
            return
        wait = self._clock.real_wait(self._heap[0][0])
        if wait is not None:
            self._timer_time = self._heap[0][0]
            self._timer = asyncio.get_running_loop().call_later(max(wait, _SMALLEST_WAIT), self._tick)
