"""Webhook deliveries are applied: claimed in batches, read, turned into rows, marked, all in one transaction."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from core.domain.errors import Conflict, Unavailable
from core.repositories.deliveries import Delivery
from core.repositories.rooms import Rooms, Store
from core.whatsapp.webhooks import UnreadableBody, Webhook, parse
from workers.engine import Engine
from workers.tasks.announcements import follow_announcements
from workers.tasks.choices import keep_choices, move_templates, read_preferences, read_refusals
from workers.tasks.consequences import draw_consequences
from workers.tasks.identities import follow_people
from workers.tasks.moves import Arrived, Moved, move_messages, summed
from workers.tasks.outdated import outdate_final_campaigns
from workers.tasks.park import retry_parked, tell_parked
from workers.tasks.replies import Kept, keep_replies
from workers.tasks.tracing import Outcome, mark_applied, redact_erased

_log = logging.getLogger(__name__)

_BATCH: Final = 100
# About a thousand receipts. Who says stop may have to wait for a batch: for its turn of the processor, and for what its
# transaction locked. More at once hardly cost less each.
_MOST_BYTES: Final = 192 * 2**10
_TURN_SECONDS: Final = 10.0
# A body that cannot be applied so many times is set aside with its error, for people to look at.
_MOST_ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Says what one batch did; `more` when some may wait that it did not take, or did not get done."""

    delivery_count: int = 0
    more: bool = False
    moved: Moved = field(default_factory=Moved)


async def apply_deliveries(engine: Engine) -> None:
    """Applies what waits, oldest first; after some seconds it rings for another turn, so that a stop need not wait."""
    ends = engine.clock.monotonic() + _TURN_SECONDS
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    more = True
    while more and not engine.stopping.is_set() and engine.clock.monotonic() <= ends:
        await engine.precedence.give()
        applied = await apply_batch(engine.store, now=engine.clock.now(), hash_key=hash_key)
        await _follow_up(engine, applied.moved)
        # What comes from now on is rung for: looking for it at once would find few, and cost as much as many.
        more = applied.more
    # In each turn, or what is parked would wait for the end of a load that may have none.
    await _follow_up(engine, await retry_parked(engine.store, now=engine.clock.now(), hash_key=hash_key))
    if more and not engine.stopping.is_set():
        await engine.wakeups.apply_deliveries()


async def apply_urgent(engine: Engine) -> None:
    """Applies what a person may say stop in, ahead of all receipts that wait."""
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    more = True
    while more and not engine.stopping.is_set():
        with engine.precedence.first():
            applied = await apply_batch(engine.store, now=engine.clock.now(), hash_key=hash_key, urgent=True)
        await _follow_up(engine, applied.moved)
        more = applied.more


async def apply_batch(
    store: Store, *, now: datetime, hash_key: bytes, limit: int = _BATCH, urgent: bool = False
) -> Applied:
    """Applies the oldest deliveries nobody else holds; when one of them spoils the batch, each is applied alone.

    `urgent` takes only those in which a person may say stop.
    """
    claimed: list[Delivery] = []
    spoiled = False
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            claimed = await _claim(rooms, limit=limit, urgent=urgent)
            moved = await _apply(rooms, claimed, now=now, hash_key=hash_key)
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        _log.warning("a batch of deliveries failed", extra={"count": len(claimed), "error": type(error).__name__})
        spoiled = True
        moved = summed([await _apply_alone(store, item.id, now=now, hash_key=hash_key) for item in claimed])
    return Applied(delivery_count=len(claimed), more=spoiled or _is_full(claimed, limit=limit), moved=moved)


def _is_full(claimed: Sequence[Delivery], *, limit: int) -> bool:
    """Whether a claim may have left something: one that is cut short by its bytes holds so many or more."""
    return len(claimed) >= limit or sum(len(item.body) for item in claimed) >= _MOST_BYTES


async def _claim(rooms: Rooms, *, limit: int, urgent: bool) -> list[Delivery]:
    if urgent:
        return await rooms.deliveries.claim_urgent_deliveries(limit=limit)
    return await rooms.deliveries.claim_deliveries(limit=limit, most_bytes=_MOST_BYTES)


async def _apply_alone(store: Store, delivery_id: UUID, *, now: datetime, hash_key: bytes) -> Moved:
    try:
        async with store.transaction() as rooms:
            await rooms.erasure.hold_off()
            delivery = await rooms.deliveries.claim_delivery(delivery_id)
            return await _apply(rooms, [delivery] if delivery else [], now=now, hash_key=hash_key)
    except Unavailable:
        raise
    except Conflict:
        return Moved()  # it waits for the next turn; that someone else was in the way is not its fault
    except Exception as error:
        # The error's text may quote what people wrote; its type and the delivery's id are enough to find it.
        _log.exception("a delivery was not applied", extra={"delivery": str(delivery_id)}, exc_info=False)
        await _count_failure(store, delivery_id, error=type(error).__name__, hash_key=hash_key)
    return Moved()


async def _count_failure(store: Store, delivery_id: UUID, *, error: str, hash_key: bytes) -> None:
    async with store.transaction() as rooms:
        await rooms.erasure.hold_off()
        set_aside = await rooms.deliveries.mark_failed(delivery_id, error=error, max_attempts=_MOST_ATTEMPTS)
        if set_aside is not None:
            await redact_erased(rooms, set_aside, hash_key=hash_key)


async def _apply(rooms: Rooms, deliveries: Sequence[Delivery], *, now: datetime, hash_key: bytes) -> Moved:
    if not deliveries:
        return Moved()
    await rooms.deliveries.enter_by_keys()
    read, errors = _read(deliveries)
    hooks = list(read.values())
    await _follow(rooms, [read[item.id] for item in deliveries if item.id in read and not item.is_replay], now=now)
    arrived = [Arrived(delivery_id=id_, receipt=receipt) for id_, hook in read.items() for receipt in hook.receipts]
    moved = await move_messages(rooms, arrived, now=now, hash_key=hash_key)
    choices = await read_refusals(rooms, moved.opt_outs(), hash_key=hash_key)
    inbounds = [inbound for hook in hooks for inbound in hook.inbounds]
    kept = await keep_replies(rooms, inbounds, hash_key=hash_key) if inbounds else Kept()
    moves = [change for hook in hooks for change in hook.identity_changes if change.whatsapp_message_id in kept.new]
    followed = await follow_people(rooms, moves, hash_key=hash_key, now=now)
    preferences = [preference for hook in hooks for preference in hook.preferences]
    told, people = await read_preferences(rooms, preferences, hash_key=hash_key)
    await keep_choices(rooms, [*choices, *kept.opt_outs, *followed, *told], now=now)
    written = {inbound.whatsapp_message_id for inbound in inbounds} - kept.forgotten
    outcome = Outcome(moved=moved, people={**kept.people, **people}, kept=frozenset(written), forgotten=kept.forgotten)
    await mark_applied(rooms, deliveries, read, errors, outcome=outcome, hash_key=hash_key)
    _tell(hooks, moved)
    return replace(moved, answered=kept.answered)


async def _follow(rooms: Rooms, read: Sequence[Webhook], *, now: datetime) -> None:
    """Notes what became of templates, accounts and numbers; before any message, since campaigns are locked first.

    What is applied again tells of a moment that is over: no campaign is paused or resumed by it.
    """
    templates = [event for hook in read for event in hook.template_events]
    accounts = [event for hook in read for event in hook.account_events]
    if templates:
        await move_templates(rooms, templates, now=now)
    if templates or accounts:
        await follow_announcements(rooms, templates=templates, accounts=accounts, now=now)


def _read(deliveries: Sequence[Delivery]) -> tuple[dict[UUID, Webhook], dict[UUID, str]]:
    """Reads bodies; one that is no JSON object gets an error and is never tried again."""
    read: dict[UUID, Webhook] = {}
    errors: dict[UUID, str] = {}
    for delivery in deliveries:
        try:
            read[delivery.id] = parse(delivery.body, received=delivery.receive_time)
            errors[delivery.id] = ""
        except UnreadableBody as error:
            errors[delivery.id] = str(error)
    return read, errors


async def _follow_up(engine: Engine, moved: Moved) -> None:
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


def _tell(read: Sequence[Webhook], moved: Moved) -> None:
    """Logs what was not understood and what was parked; never what it said."""
    unknown: Counter[str] = Counter()
    for hook in read:
        unknown.update(hook.unknown)
        unknown.update(f"account event {event.topic} {event.event}".strip() for event in hook.account_events)
    if unknown:
        _log.info("webhooks held what is only counted", extra={"counts": dict(unknown)})
    tell_parked(moved)
