"""Follows a campaign until nothing more will be sent."""

from chappe_client import Chappe, v1

from cli.display import Display
from core.clock import Clock, SystemClock

FINAL = (v1.CampaignState.COMPLETED, v1.CampaignState.CANCELLED, v1.CampaignState.FAILED)


async def watch(client: Chappe, campaign: str, *, clock: Clock | None = None) -> v1.WatchCampaignResponse:
    """Shows the campaign until its state is final; returns what was seen last."""
    seen = v1.WatchCampaignResponse()
    with Display(clock or SystemClock()) as display:
        async for seen in client.follow_campaign(campaign):
            display.show(seen)
            if is_final(seen):
                break
    return seen


def is_final(seen: v1.WatchCampaignResponse) -> bool:
    """Tells whether nothing more will be sent."""
    return seen.campaign is not None and seen.campaign.state in FINAL
