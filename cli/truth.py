"""Compares what Chappe says of a campaign with what the simulator knows to be true, message by message."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from chappe_client import Chappe, v1

_RANK = {"sent": 1, "delivered": 2, "read": 3}
_NAMES = {0: "ACCEPTED", 1: "SENT", 2: "DELIVERED", 3: "READ"}


@dataclass(slots=True)
class Comparison:
    """Holds both sides' totals and every difference found, in words."""

    ours: Counter[str] = field(default_factory=Counter)
    theirs: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


async def compare(client: Chappe, campaign: str, simulator_url: str) -> Comparison:
    """Reads every message of the campaign and every message the simulator accepted; returns how they differ."""
    accepted = {row["wamid"]: row async for row in _accepted(simulator_url)}
    comparison = Comparison()
    comparison.theirs.update(_state(row) for row in accepted.values())
    _find_doubles(accepted, comparison)
    async for message in client.messages.list_all_messages(v1.ListMessagesRequest(parent=campaign, page_size=1000)):
        _compare_one(message, accepted, comparison)
    if accepted:
        comparison.differences.append(f"{len(accepted)} messages were accepted that no message of ours knows")
    await _compare_counters(client, campaign, comparison)
    return comparison


def _compare_one(message: v1.Message, accepted: dict[str, dict[str, Any]], comparison: Comparison) -> None:
    state = message.state.name or ""
    truth = accepted.pop(message.whatsapp_message_id, None) if message.whatsapp_message_id else None
    comparison.ours[state] += truth is not None
    if truth is None:
        if state not in ("FAILED", "SKIPPED", "CANCELLED"):
            comparison.differences.append(f"{message.name} is {state}, but was never accepted")
    elif state != _state(truth):
        comparison.differences.append(f"{message.name} is {state}, but the truth is {_state(truth)}")


def _find_doubles(accepted: dict[str, dict[str, Any]], comparison: Comparison) -> None:
    times = Counter(row["to"] for row in accepted.values())
    doubled = sum(1 for count in times.values() if count > 1)
    if doubled:
        comparison.differences.append(f"{doubled} contacts were sent the message twice")


async def _compare_counters(client: Chappe, campaign: str, comparison: Comparison) -> None:
    """The counters a user is shown must equal the rows just read."""
    stats = await client.stats.get_campaign_stats(v1.GetCampaignStatsRequest(name=f"{campaign}/stats"))
    counts = stats.counts or v1.MessageCounts()
    for name, shown, rows in (
        ("read", counts.read_count, comparison.ours["READ"]),
        ("delivered", counts.delivered_count, comparison.ours["READ"] + comparison.ours["DELIVERED"]),
    ):
        if shown != rows:
            comparison.differences.append(f"the statistics say {shown} {name}, the rows {rows}")


def _state(row: dict[str, Any]) -> str:
    """What the announced statuses add up to: the furthest wins, and a failure only before a delivery."""
    announced = [status["status"] for status in row["statuses"]]
    rank = max((_RANK.get(status, 0) for status in announced), default=0)
    return "FAILED" if "failed" in announced and rank < _RANK["delivered"] else _NAMES[rank]


async def _accepted(simulator_url: str) -> AsyncIterator[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{simulator_url}/_sim/accepted.ndjson") as reply:
        reply.raise_for_status()
        async for line in reply.content:
            yield orjson.loads(line)
