"""Being told to end, and telling a task to, so that it is not missed: a library on the way may catch that and go on.

Up to Python 3.11 `asyncio.wait_for`, which the drivers use, does so when it comes together with what is waited for.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")

_AGAIN_SECONDS = 0.1


def was_cancelled() -> bool:
    """Tells whether the task was told to end, for loops that must not miss it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def end(task: asyncio.Task[Any]) -> None:
    """Cancels a task until it has ended; what it failed of meanwhile is nobody's concern any more."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()


async def endable(work: Coroutine[Any, Any, R]) -> R:
    """Does work that ends within a moment when it is cancelled, whatever it waits for."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        await end(task)
        raise
    return task.result()
