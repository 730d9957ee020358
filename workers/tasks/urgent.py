"""Who says stop is heard first, whatever waits, and whoever holds rows of messages told of in the same body."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from core.domain.errors import Conflict, Unavailable
from core.repositories.rooms import Store
from workers.engine import Engine
from workers.tasks.applying import Batch, apply_bodies, hear_bodies
from workers.tasks.moves import Moved, summed
from workers.tasks.receipts import count_failure, follow_up

_log = logging.getLogger(__name__)

_BATCH: Final = 100
_FIRST: Final = UUID(int=0)
# So long is waited for rows that others hold. Most hold theirs for less; one that is frozen does for seconds.
_PATIENCE: Final = timedelta(milliseconds=250)
# Of bodies one of which met such rows, the halves are tried for less: a stop that stands behind them waits for it too.
_LESS_PATIENCE: Final = timedelta(milliseconds=50)

T = TypeVar("T")
Work = Callable[[Sequence[UUID], timedelta], Awaitable[T]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Says what a turn did: the last body it looked at, and whether there may be more.

    `postponed` says that the receipts of some wait their turn now, beside which people were heard.
    A body whose people could not be heard stays urgent, and is tried again when it is rung next: the keeper does so.
    """

    last: UUID = _FIRST
    more: bool = False
    postponed: bool = False
    moved: Moved


async def apply_urgent(engine: Engine) -> None:
    """Applies what a person may say stop in, ahead of all receipts that wait; looks at each body once."""
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    turn = Turn(more=True, moved=Moved())
    while turn.more and not engine.stopping.is_set():
        lane = UrgentLane(engine.store, now=engine.clock.now(), hash_key=hash_key)
        with engine.precedence.first():
            # Whoever waited for rows once waits for none in the next turn: who says stop may stand at the very end.
            turn = await lane.take_turn(after=turn.last, is_patient=not turn.postponed)
        await follow_up(engine, turn.moved)
        if turn.postponed:
            await engine.wakeups.apply_deliveries()


class UrgentLane:
    """Applies bodies in which a person may say stop, as of one moment."""

    def __init__(self, store: Store, *, now: datetime, hash_key: bytes) -> None:
        self._store = store
        self._now = now
        self._hash_key = hash_key

    async def take_turn(self, *, after: UUID = _FIRST, limit: int = _BATCH, is_patient: bool = True) -> Turn:
        """Applies the oldest bodies after one: first those in which people alone speak, then the others.

        Unless it is patient, of the others only what people said is done.
        """
        async with self._store.connection() as rooms:
            found = await rooms.deliveries.find_urgent_deliveries(after=after, limit=limit)
        words = await self._in_parts(self._apply_words, found)
        mixed = [delivery_id for _, left in words for delivery_id in left]
        whole = await self._apply_whole(mixed) if mixed and is_patient else None
        others = [whole] if whole is not None else await self._in_parts(self._hear, mixed)
        return Turn(
            last=found[-1] if found else after,
            more=len(found) == limit,
            postponed=bool(mixed) and whole is None,
            moved=summed([*(moved for moved, _ in words), *others]),
        )

    async def _apply_words(self, ids: Sequence[UUID], patience: timedelta) -> tuple[Moved, list[UUID]]:
        """Applies bodies in which people alone speak; returns which are others."""
        async with self._store.transaction() as rooms:
            await rooms.erasure.hold_off()
            await rooms.transactions.bound_waits(patience)
            batch = Batch.read(await rooms.deliveries.claim_given_deliveries(ids))
            mixed = batch.mixed()
            spoken = batch.without(mixed)
            return await apply_bodies(rooms, spoken, now=self._now, hash_key=self._hash_key), mixed

    async def _apply_whole(self, ids: Sequence[UUID]) -> Moved | None:
        """Applies bodies with all they tell; None when that is not to be had at once."""
        try:
            async with self._store.transaction() as rooms:
                await rooms.erasure.hold_off()
                await rooms.transactions.bound_waits(_PATIENCE)
                batch = Batch.read(await rooms.deliveries.claim_given_deliveries(ids))
                return await apply_bodies(rooms, batch, now=self._now, hash_key=self._hash_key)
        except Unavailable:
            raise
        except Exception as error:
            # Somebody is in the way, or one of them spoils the rest: either is for those to deal with who have time.
            facts = {"count": len(ids), "error": type(error).__name__}
            _log.warning("receipts beside what people said wait their turn", extra=facts)
            return None

    async def _hear(self, ids: Sequence[UUID], patience: timedelta) -> Moved:
        """Does what people said in bodies, and has their receipts wait their turn."""
        async with self._store.transaction() as rooms:
            await rooms.erasure.hold_off()
            await rooms.transactions.bound_waits(patience)
            batch = Batch.read(await rooms.deliveries.claim_given_deliveries(ids))
            return await hear_bodies(rooms, batch, now=self._now, hash_key=self._hash_key)

    async def _in_parts(self, work: Work[T], ids: Sequence[UUID], *, patience: timedelta = _PATIENCE) -> list[T]:
        """Does work for all at once or, where something is in the way, for one half and then the other.

        So all gets done but that which is in the way itself.
        """
        if not ids:
            return []
        try:
            return [await work(ids, patience)]
        except Unavailable:
            raise
        except Exception as error:
            if len(ids) == 1:
                await self._leave(ids[0], error)
                return []
        middle = len(ids) // 2
        first = await self._in_parts(work, ids[:middle], patience=_LESS_PATIENCE)
        return [*first, *await self._in_parts(work, ids[middle:], patience=_LESS_PATIENCE)]

    async def _leave(self, delivery_id: UUID, error: Exception) -> None:
        """Leaves a body for the next ring; that somebody was in the way is not its fault."""
        if isinstance(error, Conflict):
            _log.warning("who spoke in a delivery is not heard yet", extra={"delivery": str(delivery_id)})
            return
        await count_failure(self._store, delivery_id, error=type(error).__name__, hash_key=self._hash_key)
