"""A cancellation that a library loses is said again, and what was to end does end."""

import asyncio
from contextlib import suppress

import pytest

from core.cancellation import end, endable


class Losing:
    """Work that goes on when it is cancelled for the first time."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self._for_ever = asyncio.Event()

    async def work(self) -> None:
        with suppress(asyncio.CancelledError):
            self.begun.set()
            await self._for_ever.wait()
        await self._for_ever.wait()


async def test_what_loses_a_cancellation_is_cancelled_again() -> None:
    losing = Losing()
    task = asyncio.create_task(losing.work())
    await losing.begun.wait()
    async with asyncio.timeout(5):
        await end(task)
    assert task.cancelled()


async def test_who_waits_for_work_that_loses_a_cancellation_is_not_held_up_by_it() -> None:
    losing = Losing()
    waiting = asyncio.create_task(endable(losing.work()))
    await losing.begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(5):
            await waiting


async def test_what_the_work_returns_or_raises_is_passed_on() -> None:
    async def answer() -> int:
        return 42

    async def fail() -> int:
        raise LookupError

    assert await endable(answer()) == 42
    with pytest.raises(LookupError):
        await endable(fail())
