"""A caller that never stops asking while the doors are killed, with nothing but the client's own retries."""

import asyncio
from dataclasses import dataclass

from chappe_client import Chappe, v1
from chappe_client.errors import ChappeError

_PERIOD_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class Caller:
    """Counts calls and those that failed in spite of the retries."""

    client: Chappe
    campaign: str
    calls: int = 0
    failures: int = 0

    async def run(self) -> None:
        """Asks for the campaign's statistics, twice a second, until cancelled."""
        request = v1.GetCampaignStatsRequest(name=f"{self.campaign}/stats")
        while True:
            self.calls += 1
            try:
                await self.client.stats.get_campaign_stats(request)
            except ChappeError:
                self.failures += 1
            await asyncio.sleep(_PERIOD_SECONDS)
