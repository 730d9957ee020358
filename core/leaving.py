"""Leaving a server, whatever has become of it, and ending what talks to one."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

_LEAVE_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 0.1


async def leave(closing: Awaitable[object]) -> None:
    """Waits until connections are closed; never fails, and those that are not closed within a second are given up."""
    # A connection is only closed once the other side has taken all that was written to it, which may be never.
    with suppress(Exception):  # whatever it is: there is nothing left to do with them
        async with asyncio.timeout(_LEAVE_SECONDS):
            await closing


async def end(task: asyncio.Task[None]) -> None:
    """Cancels a task until it has ended.

    Up to Python 3.11 a cancellation is lost that comes together with the answer on which `asyncio.wait_for` waits, as
    clients of servers do.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_AGAIN_SECONDS)
