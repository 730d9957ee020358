"""Webhook deliveries are applied: claimed in batches, read, turned into rows, marked, all in one transaction."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.domain.errors import Conflict, Unavailable
from core.repositories.deliveries import Deliveries, Delivery
from core.repositories.rooms import Store
from workers.engine import Engine
from workers.tasks.applying import Batch, apply_bodies
from workers.tasks.consequences import draw_consequences
from workers.tasks.moves import Moved, summed
from workers.tasks.outdated import outdate_final_campaigns
from workers.tasks.park import retry_parked
from workers.tasks.tracing import redact_erased

_log = logging.getLogger(__name__)

_BATCH: Final = 100
# About five hundred receipts; a number's full pace brings twice as many between two rings. Who says stop may have to
# wait for a batch: for its turn of the processor, and for what its transaction locked.
_MOST_BYTES: Final = 320 * 2**10
_TURN_SECONDS: Final = 10.0
# A body that cannot be applied so many times is set aside with its error, for people to look at. What keeps all bodies
# from being applied, as a release that is half there may, passes while it is tried: for about half an hour.
_MOST_ATTEMPTS: Final = 14
_LONGEST_PAUSE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Says what one batch did; `more` when some may wait that it did not take, or did not get done."""

    delivery_count: int = 0
    more: bool = False
    moved: Moved = field(default_factory=Moved)


async def apply_deliveries(engine: Engine) -> None:
    """Applies what waits, oldest first; after some seconds it rings for another turn, so that a stop need not wait."""
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    # What comes from now on is rung for: looking for it at once would find few, and cost as much as many.
    more = await _take_turn(engine, apply_batch, hash_key=hash_key)
    # In each turn, or what failed and what is parked would wait for the end of a load that may have none.
    await _take_turn(engine, retry_failed, hash_key=hash_key)
    await follow_up(engine, await retry_parked(engine.store, now=engine.clock.now(), hash_key=hash_key))
    if more and not engine.stopping.is_set():
        await engine.wakeups.apply_deliveries()


async def _take_turn(engine: Engine, apply: Callable[..., Awaitable[Applied]], *, hash_key: bytes) -> bool:
    """Applies batch after batch for some seconds; returns whether more may wait."""
    ends = engine.clock.monotonic() + _TURN_SECONDS
    more = True
    while more and not engine.stopping.is_set() and engine.clock.monotonic() <= ends:
        await engine.precedence.give()
        applied = await apply(engine.store, now=engine.clock.now(), hash_key=hash_key)
        await follow_up(engine, applied.moved)
        more = applied.more
    return more


async def apply_batch(store: Store, *, now: datetime, hash_key: bytes, limit: int = _BATCH) -> Applied:
    """Applies the oldest deliveries nobody else holds; when one of them spoils the batch, each is applied alone."""
    return await _apply(store, Deliveries.claim_deliveries, now=now, hash_key=hash_key, limit=limit)


async def retry_failed(store: Store, *, now: datetime, hash_key: bytes, limit: int = _BATCH) -> Applied:
    """Applies deliveries that failed before and are due again, in the same way."""
    return await _apply(store, Deliveries.claim_failed_deliveries, now=now, hash_key=hash_key, limit=limit)


async def _apply(
    store: Store, claim: Callable[..., Awaitable[list[Delivery]]], *, now: datetime, hash_key: bytes, limit: int
) -> Applied:
    claimed: list[Delivery] = []
    more = False
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            claimed = await claim(rooms.deliveries, limit=limit, most_bytes=_MOST_BYTES)
            batch = Batch.read(claimed)
            # Alone: what they lock, campaigns and senders, must not stay locked while receipts wait for messages.
            first = batch.announcing()
            if 0 < len(first.deliveries) < len(claimed):
                batch, claimed, more = first, list(first.deliveries), True
            moved = await apply_bodies(rooms, batch, now=now, hash_key=hash_key)
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        _log.warning("a batch of deliveries failed", extra={"count": len(claimed), "error": type(error).__name__})
        each = [await _apply_alone(store, item.id, now=now, hash_key=hash_key) for item in claimed]
        moved = summed([one for one in each if one is not None])
        more = more or None in each
    return Applied(delivery_count=len(claimed), more=more or _is_full(claimed, limit=limit), moved=moved)


def _is_full(claimed: Sequence[Delivery], *, limit: int) -> bool:
    """Whether a claim may have left something: one that is cut short by its bytes holds so many or more."""
    return len(claimed) >= limit or sum(len(item.body) for item in claimed) >= _MOST_BYTES


async def _apply_alone(store: Store, delivery_id: UUID, *, now: datetime, hash_key: bytes) -> Moved | None:
    """Applies one delivery; None when that was not to be had, and nothing is wrong with it."""
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            claimed = await rooms.deliveries.claim_given_deliveries([delivery_id])
            return await apply_bodies(rooms, Batch.read(claimed), now=now, hash_key=hash_key)
    except Unavailable:
        raise
    except Conflict:
        return None  # it waits for the next turn; that someone else was in the way is not its fault
    except Exception as error:
        await count_failure(store, delivery_id, error=type(error).__name__, hash_key=hash_key)
    return Moved()


async def count_failure(store: Store, delivery_id: UUID, *, error: str, hash_key: bytes) -> None:
    """Notes that a delivery cannot be applied: it is tried again later, and after some tries set aside."""
    # The error's text may quote what people wrote; its type and the delivery's id are enough to find it.
    _log.error("a delivery was not applied", extra={"delivery": str(delivery_id), "error": error})
    async with store.transaction() as rooms:
        await rooms.erasure.hold_off()
        set_aside = await rooms.deliveries.mark_failed(
            delivery_id, error=error, max_attempts=_MOST_ATTEMPTS, longest_pause=_LONGEST_PAUSE
        )
        if set_aside is not None:
            await redact_erased(rooms, set_aside, hash_key=hash_key)


async def follow_up(engine: Engine, moved: Moved) -> None:
    """Does what follows from a batch once it is committed."""
    _measure(engine, moved)
    # First what cannot be done another time: should the rest fail, the next failure that is told calls for the same.
    await outdate_final_campaigns(engine.store, moved.counted_campaigns())
    await draw_consequences(engine, moved)


def _measure(engine: Engine, moved: Moved) -> None:
    now = engine.clock.now()
    for step in moved.steps:
        engine.metrics.observe_lag((now - step.told.latest_time).total_seconds())
    engine.lateness.heard([(now - accept_time).total_seconds() for accept_time in moved.first_heard()])
    engine.metrics.doubts_ended("RECEIPT", moved.settled_doubts)
