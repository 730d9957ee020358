"""Draws a campaign while it runs: counts, rate, time left, and what it waits for."""

from datetime import timedelta

from chappe_client import Chappe, v1
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.output import console

FINAL = (v1.CampaignState.COMPLETED, v1.CampaignState.CANCELLED, v1.CampaignState.FAILED)


async def watch(client: Chappe, campaign: str) -> v1.WatchCampaignResponse:
    """Shows the campaign until it is final; returns what was seen last. A watch that ends early is called again."""
    seen = v1.WatchCampaignResponse()
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while not is_final(seen):
            async for seen in client.campaigns.watch_campaign(v1.WatchCampaignRequest(name=campaign)):
                live.update(picture(seen))
                if is_final(seen):
                    break
    return seen


def is_final(seen: v1.WatchCampaignResponse) -> bool:
    """Tells whether nothing more will be sent."""
    return seen.campaign is not None and seen.campaign.state in FINAL


def picture(seen: v1.WatchCampaignResponse) -> RenderableType:
    """Returns one moment of a campaign as a table with a bar."""
    campaign = seen.campaign or v1.Campaign()
    counts = (seen.stats.counts if seen.stats else None) or v1.MessageCounts()
    total = max(counts.message_count, campaign.audience_count)
    settled = total - counts.waiting_count
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row(
        *(
            Text(name, style="dim")
            for name in ("accepted", "sent", "delivered", "read", "failed", "skipped", "unconfirmed")
        )
    )
    numbers.add_row(*(f"{count:,}" for count in (
        counts.accepted_count, counts.sent_count, counts.delivered_count, counts.read_count,
        counts.failed_count, counts.skipped_count, counts.unconfirmed_count)))  # fmt: skip
    return Group(_headline(campaign, seen), ProgressBar(total=max(total, 1), completed=settled, width=72), numbers)


def _headline(campaign: v1.Campaign, seen: v1.WatchCampaignResponse) -> Text:
    parts = [campaign.display_name, (campaign.state.name or "").lower(), f"{seen.accepted_per_second:,.0f}/s"]
    if seen.remaining_duration:
        parts.append(f"{_short(seen.remaining_duration)} left")
    if seen.waiting_reason:
        parts.append(f"waits: {seen.waiting_reason}")
    if campaign.pause_reason:
        parts.append(campaign.pause_reason)
    return Text("  ".join(parts), style="bold")


def _short(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
