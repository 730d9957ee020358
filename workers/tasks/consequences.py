"""What failures told by receipts mean beyond their messages: campaigns that must not go on."""

import logging
from collections.abc import Sequence
from uuid import UUID

from core.domain.outcomes import Effect, Scope
from core.domain.receipts import Standing
from core.repositories.rooms import Rooms, Store
from core.whatsapp.errors import verdict

_log = logging.getLogger(__name__)


async def pause_campaigns(store: Store, failures: Sequence[Standing]) -> None:
    """Pauses what a template, a sender or an account at fault would only fail again.

    In a transaction of its own: campaigns are never locked after messages.
    """
    causes = {(_scope(item.error_code), item.campaign_id, item.sender_id): item.error_code for item in failures}
    for (scope, campaign_id, sender_id), code in causes.items():
        if scope is not Scope.NONE:
            async with store.transaction() as rooms:
                reason = f"{verdict(code, in_receipt=True).words} (WhatsApp error {code})"
                count = await _pause(
                    rooms, scope, campaign_id=campaign_id, sender_id=sender_id, reason=reason, code=code
                )
            if count:
                _log.warning("campaigns were paused", extra={"scope": scope.value, "count": count, "reason": reason})


def _scope(code: int) -> Scope:
    found = verdict(code, in_receipt=True)
    return found.scope if found.effect is Effect.PAUSE else Scope.NONE


async def _pause(rooms: Rooms, scope: Scope, *, campaign_id: UUID, sender_id: UUID, reason: str, code: int) -> int:
    match scope:
        case Scope.TEMPLATE:
            return await rooms.pauses.pause_template_campaigns(campaign_id=campaign_id, reason=reason, code=code)
        case Scope.CREDENTIAL:
            return await rooms.pauses.pause_credential_campaigns(sender_id=sender_id, reason=reason, code=code)
        case Scope.ACCOUNT:
            return await rooms.pauses.pause_account_campaigns(sender_id=sender_id, reason=reason, code=code)
        case Scope.SENDER:
            return await rooms.pauses.pause_sender_campaigns(sender_id=sender_id, reason=reason, code=code)
        case _:
            return 0
