"""What failures told by receipts mean beyond their messages: campaigns that must not go on, numbers that slow down."""

from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final
from uuid import UUID

from core.domain.outcomes import Effect, Scope
from core.domain.pacing import OVERCOME_SECONDS
from core.domain.receipts import Standing
from core.pace import Lane
from core.repositories.rooms import Store
from core.whatsapp.errors import verdict
from workers.countries import CountryRefusal, restrict_countries
from workers.engine import Engine
from workers.pauses import pause_at_fault
from workers.tasks.moves import Moved, Step

_OVERCOME: Final = timedelta(seconds=OVERCOME_SECONDS)


async def draw_consequences(engine: Engine, moved: Moved) -> None:
    """Pauses campaigns whose receipts tell of a fault beyond their messages, or fail in a row; slows hasty senders.

    Notes countries to which an account may not send.
    """
    for item in moved.failures():
        engine.unknown_codes.heed(item.error_code, verdict(item.error_code, in_receipt=True))
    await pause_campaigns(engine.store, moved.failures())
    await heed_countries(engine.store, moved.failures())
    for sender_id in {step.after.sender_id for step in moved.steps if _is_hasty(step, now=engine.clock.now())}:
        await engine.pace.throttle(Lane.of_sender(sender_id, 1.0))  # the pace it had is the lane's own affair
    await _watch(engine, moved.steps)


async def heed_countries(store: Store, failures: Sequence[Standing]) -> None:
    """Notes to which countries the senders' accounts may not send."""
    refusals = [
        CountryRefusal(sender_id=item.sender_id, contact_id=item.contact_id, event_time=item.fail_time)
        for item in failures
        if item.contact_id is not None
        and item.fail_time is not None
        and verdict(item.error_code, in_receipt=True).effect is Effect.RESTRICT_COUNTRY
    ]
    if refusals:
        async with store.transaction() as rooms:
            await restrict_countries(rooms, refusals)


def _is_hasty(step: Step, *, now: datetime) -> bool:
    """Tells whether the sender was too fast a moment ago: what it would have got over by now slows it no more."""
    if step.told.fail_time is None or not step.is_news or now - step.told.fail_time > _OVERCOME:
        return False
    return verdict(step.told.error_code, in_receipt=True).effect is Effect.SLOW_SENDER


async def _watch(engine: Engine, steps: Sequence[Step]) -> None:
    """Counts what became of messages, and pauses a campaign that fails them; not what failed before it ran on."""
    judged = [(step, is_bad) for step in steps if (is_bad := _is_bad(step)) is not None]
    run_times = await _run_times(engine.store, {step.after.campaign_id for step, is_bad in judged if is_bad})
    for step, is_bad in judged:
        fail_time, campaign_id = step.told.fail_time, step.after.campaign_id
        if is_bad and fail_time and fail_time < run_times.get(campaign_id, fail_time):
            continue
        if engine.receipt_breakers.of(campaign_id).record(systematic=is_bad) and fail_time:
            await _pause(engine.store, step, fail_time=fail_time)


async def _run_times(store: Store, campaign_ids: Set[UUID]) -> dict[UUID, datetime]:
    if not campaign_ids:
        return {}
    async with store.connection() as rooms:
        return await rooms.pauses.list_run_times(campaign_ids)


def _is_bad(step: Step) -> bool | None:
    """Tells whether what became of a message is the campaign's own fault; None when nothing became of it."""
    if step.told.fail_time is not None and step.is_news and not step.is_seen:
        return verdict(step.told.error_code, in_receipt=True).systematic
    return False if step.is_seen and step.after.state is not step.before.state else None


async def _pause(store: Store, step: Step, *, fail_time: datetime) -> None:
    """Pauses a campaign whose messages keep failing."""
    code = step.told.error_code
    await pause_at_fault(
        store,
        Scope.MESSAGE,
        campaign_id=step.after.campaign_id,
        sender_id=step.after.sender_id,
        found=verdict(code, in_receipt=True),
        code=code,
        fail_time=fail_time,
    )


async def pause_campaigns(store: Store, failures: Sequence[Standing]) -> None:
    """Pauses what a template, a sender or an account at fault would only fail again.

    After the transaction that moved the messages: campaigns are never locked after messages.
    """
    told = sorted(((item.fail_time, item) for item in failures if item.fail_time), key=itemgetter(0))
    # Of each cause the newest failure: it says what is so now.
    causes = {(_scope(item.error_code), item.campaign_id, item.sender_id): (at, item.error_code) for at, item in told}
    for (scope, campaign_id, sender_id), (at, code) in causes.items():
        if scope is not Scope.NONE:
            await pause_at_fault(
                store,
                scope,
                campaign_id=campaign_id,
                sender_id=sender_id,
                found=verdict(code, in_receipt=True),
                code=code,
                fail_time=at,
            )


def _scope(code: int) -> Scope:
    found = verdict(code, in_receipt=True)
    return found.scope if found.effect is Effect.PAUSE else Scope.NONE
