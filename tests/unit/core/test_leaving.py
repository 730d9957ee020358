"""Ending what talks to a server."""

import asyncio
from contextlib import suppress

from core.leaving import end


async def test_what_loses_a_cancellation_is_cancelled_again() -> None:
    begun, for_ever = asyncio.Event(), asyncio.Event()

    async def lose_one() -> None:
        with suppress(asyncio.CancelledError):
            begun.set()
            await for_ever.wait()
        await for_ever.wait()

    task = asyncio.create_task(lose_one())
    await begun.wait()
    async with asyncio.timeout(5):
        await end(task)
    assert task.cancelled()
