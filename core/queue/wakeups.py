"""Wake-ups for the workers: rung after the commit, carrying ids alone; the keeper finds the work of a lost one."""

import asyncio
import logging
from uuid import UUID

from taskiq import AsyncBroker
from taskiq.kicker import AsyncKicker

from core.breaker import Breaker
from core.clock import Clock
from core.queue.bells import Bells, open_bells

_log = logging.getLogger(__name__)

# The names are permanent: an older process may still ring, a newer one must understand.
EXPAND_CAMPAIGN = "campaigns.expand"
PUMP_SENDER = "messages.pump"
APPLY_DELIVERIES = "receipts.apply"
APPLY_URGENT = "replies.apply"

CAMPAIGNS_STREAM = "queue:campaigns"
MESSAGES_STREAM = "queue:messages"
RECEIPTS_STREAM = "queue:receipts"
REPLIES_STREAM = "queue:replies"

_TIMEOUT_SECONDS = 0.5
# After a failure nobody tries so long: who rings for many would wait for each. The keeper's next round finds the work.
_REST_SECONDS = 1.0


class Wakeups:
    """Rings for work; never raises, since a lost ring only delays. All bells hang on one server, and rest together."""

    def __init__(
        self,
        *,
        clock: Clock,
        campaigns: AsyncBroker,
        messages: AsyncBroker,
        receipts: AsyncBroker,
        replies: AsyncBroker,
    ) -> None:
        """Takes a broker for each kind of work, so that none waits behind another."""
        self._campaigns = campaigns
        self._messages = messages
        self._receipts = receipts
        self._replies = replies
        self._bells: Bells | None = None
        self._clock = clock
        self._breaker = Breaker(clock=clock, failures=1, rest_seconds=_REST_SECONDS)
        self.lost_count = 0

    @classmethod
    def connect(cls, url: str, *, clock: Clock) -> "Wakeups":
        """Returns wake-ups that ring at the queue's address; nothing is asked before the first ring."""
        bells = open_bells(url)
        wakeups = cls(
            clock=clock,
            campaigns=bells.ringer(CAMPAIGNS_STREAM),
            messages=bells.ringer(MESSAGES_STREAM),
            receipts=bells.ringer(RECEIPTS_STREAM),
            replies=bells.ringer(REPLIES_STREAM),
        )
        wakeups._bells = bells
        return wakeups

    async def expand_campaign(self, campaign_id: UUID) -> bool:
        """Rings for a campaign whose messages are to be made; False when the bell is dead."""
        return await self._ring(self._campaigns, EXPAND_CAMPAIGN, str(campaign_id))

    async def pump_sender(self, sender_id: UUID) -> bool:
        """Rings for a sender that has messages to send; False when the bell is dead."""
        return await self._ring(self._messages, PUMP_SENDER, str(sender_id))

    async def apply_deliveries(self) -> bool:
        """Rings for webhook deliveries that wait to be applied; False when the bell is dead."""
        return await self._ring(self._receipts, APPLY_DELIVERIES)

    async def apply_urgent(self) -> bool:
        """Rings for what a person may say stop in, which waits behind no receipts; False when the bell is dead."""
        return await self._ring(self._replies, APPLY_URGENT)

    async def examine(self) -> str:
        """Says what answers at the queue's address; raises SettingsError when it does not fit, ConnectionError."""
        return "" if self._bells is None else await self._bells.examine()

    async def close(self) -> None:
        """Closes the connections that `connect` opened."""
        if self._bells is not None:
            await self._bells.close()

    async def _ring(self, broker: AsyncBroker, task_name: str, *arguments: str) -> bool:
        # One finds out whether it is back; the others do not wait with it.
        if not self._breaker.allows():
            self.lost_count += 1
            return False
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                kicker: AsyncKicker[..., None] = AsyncKicker(task_name=task_name, broker=broker, labels={})
                await kicker.kiq(*arguments)
        except Exception as error:
            # Whatever the broker raises, the caller's work is committed and must not look failed.
            self.lost_count += 1
            self._breaker.failed(asked_at=asked_at)
            cause = error.__cause__ or error
            _log.warning("a wake-up was lost", extra={"task": task_name, "error": type(cause).__name__})
            return False
        self._breaker.worked()
        return True
