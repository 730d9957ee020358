"""A load with a pace of its own: each call when it is due, whatever the answers to those before it take."""

import asyncio
from collections.abc import AsyncIterator

from core.clock import SystemClock

CLOCK = SystemClock()


async def moments(count: int, *, rate: float) -> AsyncIterator[float]:
    """Yields so many moments of the monotonic clock, `rate` of them a second, each when it has come."""
    began = CLOCK.monotonic()
    for number in range(count):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - CLOCK.monotonic()))
        yield due
