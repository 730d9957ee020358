"""What an outcome means beyond its message: a sender that slows down, a campaign that pauses."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from core.domain.outcomes import Accepted, Effect, Outcome, Refused, Scope
from core.pace import Lane
from core.repositories.sending import RunningCampaign
from core.whatsapp.errors import UPGRADING
from workers.engine import Engine
from workers.pauses import pause_at_fault

_log = logging.getLogger(__name__)

# A later refusal finds the campaign resumed, and pauses it again.
_SAME_FAULT_SECONDS = 1.0
# Whose calls can be used up.
_OF_CALLS = frozenset({Scope.ACCOUNT, Scope.APP})
# Whatever is told, nobody is held no longer before it is tried again: the header speaks of all kinds of calls.
_LONGEST_HOLD_SECONDS = 3600.0


class Aftermath:
    """Draws the consequences of one sender's outcomes during one run of its pump."""

    def __init__(self, *, engine: Engine, sender_id: UUID, lane: Lane) -> None:
        self._engine = engine
        self._sender_id = sender_id
        self._lane = lane
        self._noted: dict[tuple[Scope, UUID], float] = {}

    async def consider(self, campaign: RunningCampaign, outcome: Outcome) -> None:
        """Slows the sender or pauses campaigns where an outcome calls for it.

        It also counts an answer for the campaign's breaker, and notes an upgrade and its end.
        """
        if isinstance(outcome, Refused):
            if outcome.verdict.effect is Effect.SLOW_SENDER:
                await self._slow(outcome)
            if outcome.verdict.effect is Effect.PAUSE:
                await self._pause(campaign, scope=outcome.verdict.scope, outcome=outcome)
        if isinstance(outcome, Accepted | Refused):
            await self._follow_upgrade(outcome)
            await self._watch(campaign, outcome)

    async def _slow(self, outcome: Refused) -> None:
        """Slows the sender; calls that its account or our app has used up are missing to others, too."""
        scope = outcome.verdict.scope
        if scope not in _OF_CALLS:
            await self._engine.pace.throttle(self._lane)
        elif self._note(scope, self._sender_id):
            seconds = min(outcome.wait or outcome.verdict.delays[0], _LONGEST_HOLD_SECONDS)
            await self._hold(await self._find_callers(scope), scope=scope, seconds=seconds)

    async def _hold(self, sender_ids: Sequence[UUID], *, scope: Scope, seconds: float) -> None:
        # How fast they may be is nothing to a hold. All at once: a Redis that says nothing costs its patience once.
        lanes = [Lane.of_sender(sender_id, 1.0) for sender_id in sender_ids]
        await asyncio.gather(*(self._engine.pace.hold(lane, seconds) for lane in lanes))
        extra = {"scope": scope.value, "seconds": seconds, "senders": len(sender_ids)}
        _log.warning("senders wait until WhatsApp takes calls again", extra=extra)

    async def _find_callers(self, scope: Scope) -> Sequence[UUID]:
        """Returns who shares the calls: the senders of the account, or all, since one app signs all our webhooks."""
        async with self._engine.store.connection() as rooms:
            if scope is Scope.APP:
                return await rooms.senders.list_sender_ids()
            return await rooms.senders.list_neighbours(self._sender_id)

    def _note(self, scope: Scope, of: UUID) -> bool:
        """Notes a fault; False when it was noted just now: refusals of what was on the wire together are one."""
        key, now = (scope, of), self._engine.clock.monotonic()
        if now - self._noted.get(key, float("-inf")) < _SAME_FAULT_SECONDS:
            return False
        self._noted[key] = now
        return True

    async def _follow_upgrade(self, outcome: Accepted | Refused) -> None:
        """Has WhatsApp asked for the new pace once an upgrade is over, also where its announcement was lost."""
        upgrading = self._engine.upgrading
        if isinstance(outcome, Refused):
            if outcome.code == UPGRADING:
                upgrading.add(self._sender_id)
        elif self._sender_id in upgrading:
            # At once, or each accept until the answer comes would say the same.
            upgrading.discard(self._sender_id)
            await self._forget_refresh()

    async def _forget_refresh(self) -> None:
        try:
            async with self._engine.store.connection() as rooms:
                rooms.outdate("senders")
                await rooms.senders.forget_refresh_of(self._sender_id)
        except Exception:
            self._engine.upgrading.add(self._sender_id)
            raise

    async def _watch(self, campaign: RunningCampaign, outcome: Accepted | Refused) -> None:
        breaker = self._engine.answer_breakers.of(campaign.id)
        systematic = isinstance(outcome, Refused) and outcome.verdict.systematic
        if breaker.record(systematic=systematic) and isinstance(outcome, Refused):
            await self._pause(campaign, scope=Scope.MESSAGE, outcome=outcome)

    async def _pause(self, campaign: RunningCampaign, *, scope: Scope, outcome: Refused) -> None:
        if not self._note(scope, campaign.id):
            return
        await pause_at_fault(
            self._engine.store,
            scope,
            campaign_id=campaign.id,
            sender_id=self._sender_id,
            found=outcome.verdict,
            code=outcome.code,
            # An answer is of now: no comparison with the clock that started the campaign can say more.
            fail_time=None,
        )
