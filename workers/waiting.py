"""Waiting that ends early when the process must stop."""

import asyncio
from collections.abc import Collection
from typing import Any


async def rest(stopping: asyncio.Event, seconds: float) -> bool:
    """Rests for some seconds; True as soon as `stopping` is set."""
    if stopping.is_set():
        return True
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await stopping.wait()
    except TimeoutError:
        return False
    return True


async def finish(tasks: Collection[asyncio.Task[None]], *, stopping: asyncio.Event, seconds: float) -> None:
    """Waits for tasks to end; once `stopping` is set for some seconds more, and then they are cancelled."""
    left = list(tasks)
    whole: asyncio.Future[Any] = asyncio.gather(*left, return_exceptions=True)
    ended: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({whole, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    await asyncio.wait({whole}, timeout=seconds)
    for task in left:
        task.cancel()
    await whole
