"""What failures told by receipts mean beyond their messages: campaigns that must not go on, numbers that slow down."""

import logging
from collections.abc import Sequence
from uuid import UUID

from core.domain.outcomes import Effect, Scope
from core.domain.receipts import Standing
from core.pace import Lane
from core.repositories.rooms import Rooms, Store
from core.whatsapp.errors import verdict
from workers.engine import Engine
from workers.tasks.moves import Moved, Step

_log = logging.getLogger(__name__)


async def draw_consequences(engine: Engine, moved: Moved) -> None:
    """Pauses campaigns whose receipts tell of a fault beyond their messages, or fail in a row; slows hasty senders."""
    await pause_campaigns(engine.store, moved.failures())
    for sender_id in {step.after.sender_id for step in moved.steps if _is_hasty(step)}:
        await engine.pace.throttle(Lane.of_sender(sender_id, 1.0))  # the pace it had is the lane's own affair
    for step in moved.steps:
        if (is_bad := _is_bad(step)) is not None:
            breaker = engine.receipt_breakers.of(step.after.campaign_id)
            if breaker.record(systematic=is_bad):
                await _stop_broken(engine.store, step.after.campaign_id, code=step.told.error_code)


def _is_hasty(step: Step) -> bool:
    failed = step.told.fail_time is not None and step.is_news
    return failed and verdict(step.told.error_code, in_receipt=True).effect is Effect.SLOW_SENDER


def _is_bad(step: Step) -> bool | None:
    """Tells whether what became of a message is the campaign's own fault; None when nothing became of it."""
    if step.told.fail_time is not None and step.is_news and not step.is_seen:
        return verdict(step.told.error_code, in_receipt=True).systematic
    return False if step.is_seen and step.after.state is not step.before.state else None


async def _stop_broken(store: Store, campaign_id: UUID, *, code: int) -> None:
    reason = _reason(code)
    async with store.transaction() as rooms:
        count = await rooms.pauses.pause_broken_campaign(campaign_id=campaign_id, reason=reason, code=code)
    if count:
        _log.warning("a campaign was paused: its messages keep failing", extra={"code": code})


async def pause_campaigns(store: Store, failures: Sequence[Standing]) -> None:
    """Pauses what a template, a sender or an account at fault would only fail again.

    In a transaction of its own: campaigns are never locked after messages.
    """
    causes = {(_scope(item.error_code), item.campaign_id, item.sender_id): item.error_code for item in failures}
    for (scope, campaign_id, sender_id), code in causes.items():
        if scope is not Scope.NONE:
            async with store.transaction() as rooms:
                reason = _reason(code)
                count = await _pause(
                    rooms, scope, campaign_id=campaign_id, sender_id=sender_id, reason=reason, code=code
                )
            if count:
                _log.warning("campaigns were paused", extra={"scope": scope.value, "count": count, "reason": reason})


def _reason(code: int) -> str:
    return f"{verdict(code, in_receipt=True).words} (WhatsApp error {code})"


def _scope(code: int) -> Scope:
    found = verdict(code, in_receipt=True)
    return found.scope if found.effect is Effect.PAUSE else Scope.NONE


async def _pause(rooms: Rooms, scope: Scope, *, campaign_id: UUID, sender_id: UUID, reason: str, code: int) -> int:
    probe = verdict(code, in_receipt=True).probe_seconds
    match scope:
        case Scope.TEMPLATE:
            return await rooms.pauses.pause_template_campaigns(campaign_id=campaign_id, reason=reason, code=code)
        case Scope.CREDENTIAL:
            return await rooms.pauses.pause_credential_campaigns(sender_id=sender_id, reason=reason, code=code)
        case Scope.ACCOUNT:
            return await rooms.pauses.pause_account_campaigns(
                sender_id=sender_id, reason=reason, code=code, probe_seconds=probe
            )
        case Scope.SENDER:
            return await rooms.pauses.pause_sender_campaigns(
                sender_id=sender_id, reason=reason, code=code, probe_seconds=probe
            )
        case _:
            return 0
