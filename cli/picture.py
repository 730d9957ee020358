"""One moment of a campaign, drawn for a terminal or said in a line."""

from datetime import timedelta

from chappe_client import v1
from rich.console import RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

_COLUMNS = ("accepted", "sent", "delivered", "read", "failed", "skipped", "unconfirmed")


def picture(seen: v1.WatchCampaignResponse) -> RenderableType:
    """Returns the moment as a headline, a bar and the counts."""
    done, total = _progress(seen)
    numbers = Table.grid(padding=(0, 3))
    numbers.add_row(*(Text(name, style="dim") for name in _COLUMNS))
    numbers.add_row(*(f"{count:,}" for count in _numbers(seen)))
    lines = Table.grid()
    lines.add_row(Text(_headline(seen), style="bold"))
    lines.add_row(ProgressBar(total=max(total, 1), completed=done, width=72))
    lines.add_row(numbers)
    return lines


def line(seen: v1.WatchCampaignResponse) -> str:
    """Returns the moment in one line."""
    numbers = ", ".join(f"{count:,} {name}" for name, count in zip(_COLUMNS, _numbers(seen), strict=True) if count)
    return escape(f"  {_headline(seen)}: {numbers or 'nothing yet'}")


def _headline(seen: v1.WatchCampaignResponse) -> str:
    campaign = v1.Campaign() if seen.campaign is None else seen.campaign
    parts = [campaign.display_name, (campaign.state.name or "").lower(), f"{seen.accepted_per_second:,.0f}/s"]
    if seen.remaining_duration:
        parts.append(f"{_short(seen.remaining_duration)} left")
    if seen.waiting_reason:
        parts.append(f"waits: {seen.waiting_reason}")
    if campaign.pause_reason:
        parts.append(campaign.pause_reason)
    return "  ".join(parts)


def _progress(seen: v1.WatchCampaignResponse) -> tuple[int, int]:
    counts = _counts(seen)
    planned = 0 if seen.campaign is None else seen.campaign.audience_count
    total = max(counts.message_count, planned)
    return counts.message_count - counts.waiting_count, total


def _numbers(seen: v1.WatchCampaignResponse) -> tuple[int, ...]:
    counts = _counts(seen)
    return (
        counts.accepted_count, counts.sent_count, counts.delivered_count, counts.read_count,
        counts.failed_count, counts.skipped_count, counts.unconfirmed_count,
    )  # fmt: skip


def _counts(seen: v1.WatchCampaignResponse) -> v1.MessageCounts:
    found = None if seen.stats is None else seen.stats.counts
    return v1.MessageCounts() if found is None else found


def _short(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
