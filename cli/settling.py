"""Waits until the simulator has nothing more to say of its messages and Chappe has applied what it said."""

import asyncio

import aiohttp
from chappe_client import Chappe, v1

from cli.display import Display
from cli.output import fail
from core.clock import Clock

_PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.5


async def wait_for_receipts(client: Chappe, campaign: str, simulator_url: str, clock: Clock) -> None:
    """Shows receipts coming in; returns when none is under way and the numbers stand still; fails after 90 s."""
    deadline = clock.monotonic() + _PATIENCE_SECONDS
    before = b""
    with Display(clock) as display:
        while clock.monotonic() < deadline:
            under_way = await _under_way(simulator_url)
            seen = await _look(client, campaign)
            display.show(seen)
            now = bytes((seen.stats and seen.stats.counts) or v1.MessageCounts())
            if under_way == 0 and now == before:
                return
            before = now
            await asyncio.sleep(_POLL_SECONDS)  # noqa: TID251 - another process is polled
    fail(f"receipts still came after {_PATIENCE_SECONDS:g} s.")


async def _under_way(simulator_url: str) -> int:
    """How many statuses the simulator still plans to announce or has not delivered."""
    async with aiohttp.ClientSession() as session, session.get(f"{simulator_url}/_sim/summary") as reply:
        summary = await reply.json()
    return int(summary["planned"]) + int(summary["undelivered_updates"])


async def _look(client: Chappe, campaign: str) -> v1.WatchCampaignResponse:
    async for seen in client.campaigns.watch_campaign(v1.WatchCampaignRequest(name=campaign)):
        return seen
    return v1.WatchCampaignResponse()
