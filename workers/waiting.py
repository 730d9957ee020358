"""Waiting that ends early when the process must stop."""

import asyncio


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits for some seconds; True as soon as `stopping` is set."""
    if stopping.is_set():
        return True
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await stopping.wait()
    except TimeoutError:
        return False
    return True
