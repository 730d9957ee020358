"""Statistics from the command line."""

from typing import Annotated

import typer
from chappe_client import Chappe, v1

from cli.connection import call
from cli.output import print_table, say


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("stats")(stats)


def stats(campaign: Annotated[str, typer.Argument(help="campaigns/…; everything when left out.")] = "") -> None:
    """Show what became of all messages, or of one campaign's."""
    reply = call(lambda client: _read(client, campaign))
    print_counts(reply.counts or v1.MessageCounts(), list(reply.failures), reply.double_count)
    if isinstance(reply, v1.CampaignStats):
        for skip in reply.skips:
            say(f"  {skip.message_count:,} x skipped: {skip.reason}")
    elif reply.difference_count:
        say(f"[red]Counters differ from messages by {reply.difference_count:,}:[/] chappe recount says where.")


def print_counts(counts: v1.MessageCounts, failures: list[v1.FailureCount], doubles: int) -> None:
    """Prints totals, then failures by error code."""
    rows = [
        ("messages", counts.message_count), ("waiting", counts.waiting_count), ("accepted", counts.accepted_count),
        ("sent", counts.sent_count), ("delivered", counts.delivered_count), ("read", counts.read_count),
        ("answered", counts.replied_count),
        ("failed", counts.failed_count), ("skipped", counts.skipped_count), ("cancelled", counts.cancelled_count),
        ("unconfirmed", counts.unconfirmed_count), ("sent twice (proven)", doubles),
    ]  # fmt: skip
    print_table(("", "messages"), [(name, f"{count:,}") for name, count in rows])
    for failure in failures:
        say(f"  {failure.message_count:,} x {failure.error_code} {failure.error_title}")


async def _read(client: Chappe, campaign: str) -> v1.CampaignStats | v1.MessageStats:
    if campaign:
        name = campaign.removesuffix("/stats")
        return await client.stats.get_campaign_stats(v1.GetCampaignStatsRequest(name=f"{name}/stats"))
    return await client.stats.get_message_stats(v1.GetMessageStatsRequest())
