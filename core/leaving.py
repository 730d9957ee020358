"""Leaving a server, whatever has become of it."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

_LEAVE_SECONDS = 1.0


async def leave(closing: Awaitable[object]) -> None:
    """Waits until connections are closed; never fails, and those that are not closed within a second are given up."""
    # A connection is only closed once the other side has taken all that was written to it, which may be never.
    with suppress(Exception):  # whatever it is: there is nothing left to do with them
        async with asyncio.timeout(_LEAVE_SECONDS):
            await closing
