"""Writes what became of attempts, many in one statement; holds on to them while the database is away."""

import asyncio
import logging
from uuid import UUID

from core.db import is_of_values
from core.domain.messages import MessageRef
from core.domain.outcomes import Settlement
from core.repositories.rooms import Store
from workers.engine import Engine
from workers.tasks.outdated import outdate_final_campaigns
from workers.tellings import Telling, keep_tellings
from workers.waiting import rest

_log = logging.getLogger(__name__)

BATCH = 200
# So long it waits for more to write in one statement, unless there is a whole batch.
_GATHER_SECONDS = 0.08
_RETRY_SECONDS = 0.5

# What an attempt makes of its message, and what its answer told about the contact, if anything.
_Entry = tuple[Settlement, Telling | None]


class Settler:
    """Collects settlements and writes them in batches, in one background task that lives until `close`."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine whose rows it writes."""
        self._engine = engine
        self._unwritten: list[_Entry] = []
        # Set while `_unwritten` holds something, or the settler is closing.
        self._awake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    def add(self, settlement: Settlement, told: Telling | None = None) -> None:
        """Takes a settlement, and what the answer told about its contact; both are written soon."""
        self._unwritten.append((settlement, told))
        self._engine.unwritten.count += 1
        self._awake.set()

    async def close(self) -> None:
        """Writes what is left, however long the database takes to come back."""
        self._closing.set()
        self._awake.set()
        await self._task

    async def _run(self) -> None:
        while batch := await self._next_batch():
            if await self._write_patiently(batch) is not None:
                await self._write_apart(batch)
            self._engine.unwritten.count -= len(batch)

    async def _next_batch(self) -> list[_Entry]:
        """Waits for something to write, and a little longer for more of it; empty when nothing will come any more."""
        await self._awake.wait()
        if len(self._unwritten) < BATCH:
            await rest(self._closing, _GATHER_SECONDS)
        batch, self._unwritten = self._unwritten[:BATCH], self._unwritten[BATCH:]
        if not self._unwritten and not self._closing.is_set():
            self._awake.clear()
        return batch

    async def _write_apart(self, batch: list[_Entry]) -> None:
        """Writes one by one what fails together for values in it, and leaves only what is to blame."""
        for entry in batch:
            error = await self._write_patiently([entry])
            if error is not None:
                settlement, _ = entry
                _leave(settlement, error)

    async def _write_patiently(self, batch: list[_Entry]) -> Exception | None:
        """Writes entries once the database can; returns its error where it never will, for the values they hold."""
        while True:
            try:
                await self._write(batch)
            except Exception as error:
                if is_of_values(error):
                    return error
                # The outcomes are known here and nowhere else: they are kept until they are written.
                _log.exception("settlements could not be written; trying again", extra={"count": len(batch)})
                await asyncio.sleep(_RETRY_SECONDS)  # noqa: TID251  # stopping must not cut this short
            else:
                return None

    async def _write(self, batch: list[_Entry]) -> None:
        doubles = await write(self._engine.store, [settlement for settlement, _ in batch])
        self._engine.metrics.doubles_found(doubles)
        await keep_tellings(self._engine, [told for _, told in batch if told is not None])


def _leave(settlement: Settlement, error: Exception) -> None:
    """Says of a settlement that it can never be written: its message is in doubt from its lease's end."""
    # The error's text may quote what it was given; its type and the message's id are enough to find it.
    facts = {"message_id": str(settlement.ref.message_id), "error": type(error).__name__}
    _log.error("a settlement cannot be written: its message will be in doubt", extra=facts)


async def write(store: Store, batch: list[Settlement]) -> int:
    """Writes settlements, and notes those that prove a double; returns how many superseded ones do."""
    settled, proven = await _settle(store, batch)
    late = [one for one in batch if one.whatsapp_message_id and one.ref not in settled]
    doubles = await _note_late(store, late) if late else 0
    # Also where the newest attempt proves it: the late accept of an earlier one may have let the campaign end before.
    await outdate_final_campaigns(store, proven | ({one.ref.campaign_id for one in late} if doubles else set()))
    return doubles


async def _settle(store: Store, batch: list[Settlement]) -> tuple[frozenset[MessageRef], set[UUID]]:
    """Settles messages by their newest attempts; a superseded one settles none.

    Returns the attempts that settled one, and the campaigns in which they prove a double.
    """
    again = [one for one in batch if one.whatsapp_message_id and one.ref.attempt > 1]
    # Of what was sent again the proof is written together with the outcome: nobody would look at that again.
    async with store.transaction() if again else store.connection() as rooms:
        if again:
            await rooms.transactions.enter_by_keys()
        settled = await rooms.sending.settle_messages(batch)
        newer = [(one.ref, None) for one in again if one.ref in settled]
        proven = await rooms.receipts.prove_doubles(newer) if newer else set()
    return settled, proven


async def _note_late(store: Store, late: list[Settlement]) -> int:
    """Notes the accepts of superseded attempts, and sends no message again for it; returns how many are doubles."""
    refs = [one.ref for one in late]
    async with store.transaction() as rooms:
        await rooms.transactions.enter_by_keys()
        # As receipts are, and a newest attempt is settled: of two who write of one message, the second sees both.
        await rooms.receipts.lock_messages(refs)
        await rooms.sending.record_late_accepts(late)
        await rooms.sending.settle_by_late_accepts(late)
        doubles = await rooms.receipts.prove_superseded_doubles(refs)
    _log.warning("superseded attempts were accepted", extra={"count": len(late), "doubles": doubles})
    return doubles
