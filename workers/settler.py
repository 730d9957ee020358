"""Writes what became of attempts, many in one statement; holds on to them while the database is away."""

import asyncio
import logging

from core.db import is_of_values
from core.domain.outcomes import Settlement
from core.repositories.rooms import Store
from workers.engine import Engine
from workers.tasks.outdated import outdate_final_campaigns
from workers.tellings import Telling, keep
from workers.waiting import pause

_log = logging.getLogger(__name__)

BATCH = 200
_FLUSH_SECONDS = 0.08
_RETRY_SECONDS = 0.5


class Settler:
    """Collects settlements and writes them in batches, in one background task."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine whose rows it writes."""
        self._engine = engine
        self._waiting: list[tuple[Settlement, Telling | None]] = []
        # Of those that wait, so many are written one by one: together they failed for what one of them holds.
        self._alone = 0
        self._filled = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, settlement: Settlement, told: Telling | None = None) -> None:
        """Takes a settlement, and what the answer told about its contact; both are written soon."""
        self._waiting.append((settlement, told))
        self._engine.unwritten.count += 1
        if len(self._waiting) == 1 or len(self._waiting) >= BATCH:
            self._filled.set()

    async def close(self) -> None:
        """Writes what is left, however long the database takes to come back."""
        self._closing.set()
        self._filled.set()
        await self._task

    async def _run(self) -> None:
        while self._waiting or not self._closing.is_set():
            await self._filled.wait()
            self._filled.clear()
            while self._waiting:
                if len(self._waiting) < BATCH and not self._alone:
                    await pause(self._closing, _FLUSH_SECONDS)
                await self._flush()

    async def _flush(self) -> None:
        """Writes a batch; one that fails for what it holds is written one by one, and only what is to blame left."""
        batch = self._waiting[: 1 if self._alone else BATCH]
        try:
            await self._write(batch)
        except Exception as error:
            if not is_of_values(error):
                # The outcomes are known here and nowhere else: they are kept until they are written.
                _log.exception("settlements could not be written; trying again", extra={"count": len(self._waiting)})
                await asyncio.sleep(_RETRY_SECONDS)  # noqa: TID251  # stopping must not cut this short
                return
            if len(batch) > 1:
                self._alone = len(batch)
                return
            _leave(batch[0][0], error)
        del self._waiting[: len(batch)]
        self._engine.unwritten.count -= len(batch)
        self._alone = max(0, self._alone - len(batch))

    async def _write(self, batch: list[tuple[Settlement, Telling | None]]) -> None:
        doubles = await write(self._engine.store, [settlement for settlement, _ in batch])
        self._engine.metrics.doubles_found(doubles)
        await keep(self._engine, [told for _, told in batch if told is not None])


def _leave(settlement: Settlement, error: Exception) -> None:
    """Says of a settlement that it can never be written: its message is in doubt from its lease's end."""
    # The error's text may quote what it was given; its type and the message's id are enough to find it.
    facts = {"message_id": str(settlement.ref.message_id), "error": type(error).__name__}
    _log.error("a settlement cannot be written: its message will be in doubt", extra=facts)


async def write(store: Store, batch: list[Settlement]) -> int:
    """Writes settlements, and notes those that prove a double; returns how many superseded ones do."""
    accepted = [one for one in batch if one.whatsapp_message_id]
    # Of what was sent again the proof is written together with the outcome: nobody would look at that again.
    is_again = any(one.ref.attempt > 1 for one in accepted)
    async with store.transaction() if is_again else store.connection() as rooms:
        settled = await rooms.sending.settle_messages(batch)
        newer = [(one.ref, None) for one in accepted if one.ref.attempt > 1 and one.ref.message_id in settled]
        if newer:
            await rooms.receipts.prove_doubles(newer)
    late = [one for one in accepted if one.ref.message_id not in settled]
    doubles = await _note_late(store, late) if late else 0
    # A newer attempt that is only now settled was open until now: its campaign was not final.
    if doubles:
        await outdate_final_campaigns(store, {one.ref.campaign_id for one in late})
    return doubles


async def _note_late(store: Store, late: list[Settlement]) -> int:
    refs = [one.ref for one in late]
    async with store.transaction() as rooms:
        # As receipts are, and a newest attempt is settled: of two who write of one message, the second sees both.
        await rooms.receipts.lock_messages(refs)
        await rooms.sending.record_late_accepts(late)
        doubles = await rooms.receipts.prove_superseded_doubles(refs)
    _log.warning("superseded attempts were accepted", extra={"count": len(late), "doubles": doubles})
    return doubles
