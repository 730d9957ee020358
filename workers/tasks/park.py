"""Receipts that wait for their message are tried again, many at once; one that spoils its batch is tried alone."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from core.domain.errors import Conflict, Unavailable
from core.domain.receipts import pause_before_try
from core.repositories.receipts import Parked
from core.repositories.rooms import Rooms, Store
from workers.tasks.choices import keep_choices, read_refusals
from workers.tasks.contacts import mark_contacts
from workers.tasks.moves import Arrived, Moved, move_messages, summed
from workers.tasks.parked_codec import unpack

_log = logging.getLogger(__name__)

_BATCH: Final = 1000


async def retry_parked(store: Store, *, now: datetime, hash_key: bytes) -> Moved:
    """Tries the parked receipts that are due once more."""
    parked: list[Parked] = []
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            parked = await rooms.receipts.take_parked_receipts(now=now, limit=_BATCH)
            moved = await _apply(rooms, parked, now=now, hash_key=hash_key)
    except (Unavailable, Conflict):
        raise
    except Exception as error:
        if not parked:
            raise
        _log.warning("a batch of parked receipts failed", extra={"count": len(parked), "error": type(error).__name__})
        ids = [item.id for item in parked if item.id is not None]
        moved = summed([await _apply_alone(store, each, now=now, hash_key=hash_key) for each in ids])
    tell_parked(moved)
    return moved


def tell_parked(moved: Moved) -> None:
    """Logs how many receipts wait for their message, and for how many nobody waits any longer."""
    if moved.parked_count or moved.expired_count:
        counts = {"parked": moved.parked_count, "given_up": moved.expired_count}
        _log.info("receipts have no message", extra=counts)


async def _apply(rooms: Rooms, parked: Sequence[Parked], *, now: datetime, hash_key: bytes) -> Moved:
    if not parked:
        return Moved()
    await rooms.transactions.enter_by_keys()
    moved = await move_messages(rooms, [_arrived(item) for item in parked], now=now, hash_key=hash_key)
    choices = await read_refusals(rooms, moved.opt_outs(), hash_key=hash_key)
    await keep_choices(rooms, choices, now=now)
    await mark_contacts(rooms, moved.steps, now=now, hash_key=hash_key)
    return moved


async def _apply_alone(store: Store, parked_id: UUID, *, now: datetime, hash_key: bytes) -> Moved:
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            parked = await rooms.receipts.take_parked_receipt(parked_id)
            return await _apply(rooms, parked, now=now, hash_key=hash_key)
    except Unavailable:
        raise
    except Conflict:
        return Moved()  # it waits for the next turn; that someone else was in the way is not its fault
    except Exception as error:
        # The error's text may quote what people wrote; its type and the receipt's id are enough to find it.
        facts = {"parked_receipt": str(parked_id), "error": type(error).__name__}
        _log.error("a parked receipt was not applied", extra=facts)
        return await _put_back(store, parked_id, now=now)


async def _put_back(store: Store, parked_id: UUID, *, now: datetime) -> Moved:
    """Parks a receipt again that cannot be applied, until its time is over: then it is given up."""
    async with store.transaction() as rooms:
        await rooms.erasure.hold_off()
        parked = await rooms.receipts.take_parked_receipt(parked_id)
        later = [
            replace(item, try_count=item.try_count + 1, not_before_time=now + pause_before_try(item.try_count))
            for item in parked
            if item.expire_time > now
        ]
        if later:
            await rooms.receipts.park_receipts(later)
    return Moved(parked_count=len(later), expired_count=len(parked) - len(later))


def _arrived(item: Parked) -> Arrived:
    return Arrived(
        delivery_id=item.delivery_id,
        receipt=unpack(item.receipt),
        try_count=item.try_count,
        expire_time=item.expire_time,
        traces=item.traces,
    )
