"""Being told to stop, at any moment of a process's life: also while it starts, and waits for something that is away."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeVar

T = TypeVar("T")

_log = logging.getLogger(__name__)


def stop_signal() -> asyncio.Event:
    """Returns what is set by SIGTERM and Ctrl-C, from now on."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


async def unless(stopping: asyncio.Event, work: Awaitable[T]) -> T | None:
    """Returns what the work does, which may raise; once told to stop it is cut off, has let go of all, and it is None.

    Work that was done by then counts as done. What fails after that fails nobody: it was to end anyway.
    """
    working, told = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait([working, told], return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        working.cancel()
    await asyncio.wait([working])
    if working.cancelled() or (stopping.is_set() and _failed(working)):
        return None
    return working.result()


@asynccontextmanager
async def entered(stopping: asyncio.Event, context: AbstractAsyncContextManager[T]) -> AsyncIterator[T | None]:
    """Enters a context for the time of the block; None when told to stop before it was entered."""
    async with AsyncExitStack() as held:
        yield await unless(stopping, held.enter_async_context(context))


def _failed(working: asyncio.Future[T]) -> bool:
    error = working.exception()
    if error is not None:
        _log.info("what was under way when told to stop failed", extra={"error": type(error).__name__})
    return error is not None
