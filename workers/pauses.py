"""Pauses campaigns as far as the fault of an error reaches; an answer's and a receipt's errors are dealt with alike."""

import logging
from datetime import datetime
from uuid import UUID

from core.domain.outcomes import Scope, Verdict
from core.repositories.rooms import Rooms, Store
from core.whatsapp.errors import ENDS_WITH_RESTRICTION

_log = logging.getLogger(__name__)


async def pause_at_fault(
    store: Store,
    scope: Scope,
    *,
    campaign_id: UUID,
    sender_id: UUID,
    found: Verdict,
    code: int,
    fail_time: datetime | None,
) -> None:
    """Pauses what an error with this code would only fail again, in a statement that commits by itself.

    `scope` says how far: to a template, credential, account or sender; with any other one to the campaign alone. What
    was started or resumed after `fail_time` runs on; None: it failed just now.
    """
    # What the user reads: our words, and the code to search for.
    reason = f"{found.words} (WhatsApp error {code})"
    async with store.connection() as rooms:
        count = await _pause(
            rooms,
            scope,
            campaign_id=campaign_id,
            sender_id=sender_id,
            reason=reason,
            code=code,
            fail_time=fail_time,
            probe_seconds=found.probe_seconds,
        )
    if count:
        _log.warning("campaigns were paused", extra={"scope": scope.value, "count": count, "reason": reason})


async def _pause(
    rooms: Rooms,
    scope: Scope,
    *,
    campaign_id: UUID,
    sender_id: UUID,
    reason: str,
    code: int,
    fail_time: datetime | None,
    probe_seconds: float,
) -> int:
    pauses = rooms.pauses
    match scope:
        case Scope.TEMPLATE:
            return await pauses.pause_template_campaigns(
                campaign_id=campaign_id, reason=reason, code=code, fail_time=fail_time
            )
        case Scope.CREDENTIAL:
            return await pauses.pause_credential_campaigns(
                sender_id=sender_id, reason=reason, code=code, fail_time=fail_time
            )
        case Scope.ACCOUNT:
            return await pauses.pause_account_campaigns(
                sender_id=sender_id,
                reason=reason,
                code=code,
                fail_time=fail_time,
                probe_seconds=probe_seconds,
                ends_with_restriction=code in ENDS_WITH_RESTRICTION,
            )
        case Scope.SENDER:
            return await pauses.pause_sender_campaigns(
                sender_id=sender_id, reason=reason, code=code, fail_time=fail_time, probe_seconds=probe_seconds
            )
        case _:
            return await pauses.pause_broken_campaign(
                campaign_id=campaign_id, reason=reason, code=code, fail_time=fail_time
            )
