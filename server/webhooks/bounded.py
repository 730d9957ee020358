"""Waiting for the database no longer than WhatsApp waits for us."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Does the work, or raises TimeoutError after some seconds and leaves it to end by itself.

    A cancelled statement waits for the server's word, which a server that went deaf never gives.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not done:
        task.cancel()
        task.add_done_callback(_forget)
        raise TimeoutError
    task.result()


def _forget(task: "asyncio.Future[None]") -> None:
    """Looks at the outcome of what nobody waits for any more, so that it is not reported as overlooked."""
    if not task.cancelled():
        task.exception()
