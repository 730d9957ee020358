"""Simulator, lanes: what waits for one callback, so that one that hangs or is down holds up no other."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from simulator.webhook_bodies import Update


@dataclass(slots=True, eq=False)
class Delivery:
    """One POST to be made; the updates are kept instead of the bytes, which are made again for each attempt."""

    updates: list[Update]
    first_time: float
    attempts: int = 0


@dataclass(slots=True, eq=False)
class Lane:
    """The updates and deliveries for one callback; while it does not answer, it is probed and not hammered."""

    pending: deque[Update] = field(default_factory=deque)
    retries: deque[Delivery] = field(default_factory=deque)
    under_way: int = 0
    unanswered: bool = False
    probe: asyncio.TimerHandle | None = None

    def has_room(self, concurrency: int) -> bool:
        """Returns whether another delivery may begin: while nobody answers, only the probe whose time has come."""
        if not self.unanswered:
            return self.under_way < concurrency
        return self.probe is None and self.under_way == 0

    def forget(self) -> None:
        """Drops what waits."""
        self.pending.clear()
        self.retries.clear()

    def stop(self) -> None:
        """Ends the wait for the next probe."""
        if self.probe is not None:
            self.probe.cancel()
