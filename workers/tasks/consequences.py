"""What failures told by receipts mean beyond their messages: campaigns that must not go on, numbers that slow down."""

from collections.abc import Sequence

from core.domain.outcomes import Effect, Scope
from core.domain.receipts import Standing
from core.pace import Lane
from core.repositories.rooms import Store
from core.whatsapp.errors import verdict
from workers.countries import CountryRefusal, restrict_countries
from workers.engine import Engine
from workers.pauses import pause_at_fault
from workers.tasks.moves import Moved, Step


async def draw_consequences(engine: Engine, moved: Moved) -> None:
    """Pauses campaigns whose receipts tell of a fault beyond their messages, or fail in a row; slows hasty senders.

    Notes countries to which an account may not send.
    """
    for item in moved.failures():
        engine.unknown_codes.heed(item.error_code, verdict(item.error_code, in_receipt=True))
    await pause_campaigns(engine.store, moved.failures())
    await heed_countries(engine.store, moved.failures())
    for sender_id in {step.after.sender_id for step in moved.steps if _is_hasty(step)}:
        await engine.pace.throttle(Lane.of_sender(sender_id, 1.0))  # the pace it had is the lane's own affair
    for step in moved.steps:
        if (is_bad := _is_bad(step)) is not None:
            breaker = engine.receipt_breakers.of(step.after.campaign_id)
            if breaker.record(systematic=is_bad):
                await _stop(engine.store, step)


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


def _is_hasty(step: Step) -> bool:
    failed = step.told.fail_time is not None and step.is_news
    return failed and verdict(step.told.error_code, in_receipt=True).effect is Effect.SLOW_SENDER


def _is_bad(step: Step) -> bool | None:
    """Tells whether what became of a message is the campaign's own fault; None when nothing became of it."""
    if step.told.fail_time is not None and step.is_news and not step.is_seen:
        return verdict(step.told.error_code, in_receipt=True).systematic
    return False if step.is_seen and step.after.state is not step.before.state else None


async def _stop(store: Store, step: Step) -> None:
    """Pauses a campaign whose messages keep failing."""
    code = step.told.error_code
    await pause_at_fault(
        store,
        Scope.MESSAGE,
        campaign_id=step.after.campaign_id,
        sender_id=step.after.sender_id,
        found=verdict(code, in_receipt=True),
        code=code,
    )


async def pause_campaigns(store: Store, failures: Sequence[Standing]) -> None:
    """Pauses what a template, a sender or an account at fault would only fail again.

    After the transaction that moved the messages: campaigns are never locked after messages.
    """
    causes = {(_scope(item.error_code), item.campaign_id, item.sender_id): item.error_code for item in failures}
    for (scope, campaign_id, sender_id), code in causes.items():
        if scope is not Scope.NONE:
            found = verdict(code, in_receipt=True)
            await pause_at_fault(store, scope, campaign_id=campaign_id, sender_id=sender_id, found=found, code=code)


def _scope(code: int) -> Scope:
    found = verdict(code, in_receipt=True)
    return found.scope if found.effect is Effect.PAUSE else Scope.NONE
