"""A caller that never stops asking while the doors are killed, with nothing but the client's own retries."""

import asyncio
from dataclasses import dataclass, field

from chappe_client import Chappe, v1
from chappe_client.errors import ChappeError

from core.clock import Clock, SystemClock

_PERIOD_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class Caller:
    """Counts calls, and says of those that failed in spite of the retries after how many seconds, and why."""

    client: Chappe
    campaign: str
    calls: int = 0
    failures: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=SystemClock)

    async def run(self) -> None:
        """Asks for the campaign's statistics, twice a second, until cancelled."""
        request = v1.GetCampaignStatsRequest(name=f"{self.campaign}/stats")
        while True:
            self.calls += 1
            began = self.clock.monotonic()
            try:
                await self.client.stats.get_campaign_stats(request)
            except ChappeError as error:
                why = error.reason or error.code.name
                self.failures.append(f"{why} after {self.clock.monotonic() - began:.1f} s")
            await asyncio.sleep(_PERIOD_SECONDS)
