"""Counters are compared with the rows they count, one campaign at a time; a difference is said aloud, never mended."""

import asyncio
import logging
from uuid import UUID

from core.domain.recounts import total
from workers.engine import Engine
from workers.waiting import finish

_log = logging.getLogger(__name__)


async def recount_next(engine: Engine) -> None:
    """Compares the counters of what was not compared for longest, a campaign or the deployment, with the rows.

    A stop does not wait for it: a comparison changes nothing, and another one is made later.
    """
    comparing = asyncio.create_task(_recount_next(engine))
    await finish([comparing], stopping=engine.stopping, seconds=0)
    if not comparing.cancelled():
        comparing.result()


async def _recount_next(engine: Engine) -> None:
    async with engine.store.connection() as rooms:
        scope_id = await rooms.recounts.take_next_scope()
    if scope_id is not None:
        await _recount(engine, scope_id)


async def _recount(engine: Engine, scope_id: UUID) -> None:
    async with engine.store.snapshot() as rooms:
        differences = await rooms.recounts.find_differences(scope_id)
    async with engine.store.connection() as rooms:
        await rooms.recounts.note_recount(scope_id, difference_count=total(differences))
    engine.metrics.recounted()
    if differences:
        facts = {"scope": str(scope_id), "count": total(differences), "first": str(differences[0])}
        _log.error("counters differ from rows: chappe recount says where", extra=facts)
