"""Workers inside the test's own process: one that rests, and one that works until the test is over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from tests.helpers.sending import CLOCK, settings
from workers.assembly import Worker, assembled
from workers.pump import pump_sender


@asynccontextmanager
async def idle_worker(given: dict[str, str], **more: str) -> AsyncIterator[Worker]:
    """Yields a worker whose parts a test moves by hand: no bell, no keeper."""
    stopping = asyncio.Event()
    async with assembled(settings=settings(**given, **more), clock=CLOCK, stopping=stopping) as worker:
        yield worker


@asynccontextmanager
async def busy_worker(given: dict[str, str], **more: str) -> AsyncIterator[Worker]:
    """Yields a worker that works, and stops it as a deployment would."""
    async with idle_worker(given, **more) as worker:
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            worker.engine.stopping.set()
            await running


async def pump_out(worker: Worker, sender_id: UUID) -> None:
    """Sends what is due for a sender, and waits until what became of it is written."""
    await pump_sender(worker.engine, sender_id)
    await worker.engine.drains.finish()
