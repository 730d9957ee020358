"""A campaign that runs while something is measured: through simulator, worker and webhook door, on the same servers.

The volume's own campaigns rest meanwhile: whoever they were planned for is unknown to the simulator.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import aiohttp
import asyncpg
from chappe_client import Chappe, v1

from core.clock import SystemClock
from tests.bench.read.servers import Served
from tests.helpers.processes import Processes, port_of
from tests.helpers.walk import Walk

CLOCK = SystemClock()
PER_SECOND: Final = 80.0
_SPARE_SECONDS = 30
_SECRETS = {"ACCESS_TOKEN": "bench-token", "APP_SECRET": "bench-secret", "VERIFY_TOKEN": "bench-word"}
# As if people had paused them, their numbers had just been asked about, and their counters just been compared.
_REST = "UPDATE campaigns SET state = 'PAUSED' WHERE state = 'RUNNING' RETURNING id"
_KNOWN = "UPDATE senders SET refresh_time = now()"
_COMPARED = """
    INSERT INTO recounts (scope_id, recount_time) SELECT id, now() FROM campaigns
    UNION ALL SELECT '00000000-0000-0000-0000-000000000000', now()
    ON CONFLICT ON CONSTRAINT recounts_pkey DO UPDATE SET recount_time = excluded.recount_time"""
_GO_ON = "UPDATE campaigns SET state = 'RUNNING' WHERE id = ANY ($1::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """Is a campaign under way, and the client that started it."""

    walk: Walk
    campaign: v1.Campaign

    async def accepted_count(self) -> int:
        """Returns how many messages WhatsApp has accepted so far."""
        return (await self.walk.counts(self.campaign)).accepted_count


@contextmanager
def sending(served: Served) -> Iterator[tuple[int, str]]:
    """Starts all that a campaign needs; yields the port of an API, and where the simulator answers."""
    running = asyncio.run(_change(served.database_url, _REST))
    try:
        for statement in (_KNOWN, _COMPARED):
            asyncio.run(_change(served.database_url, statement))
        with Processes(directory=served.directory, settings=_settings(served)) as processes:
            yield _start(processes)
    finally:
        asyncio.run(_change(served.database_url, _GO_ON, running))


def _settings(served: Served) -> dict[str, str]:
    return {
        "CHAPPE_DATABASE_URL": served.database_url, "CHAPPE_QUEUE_URL": served.queue.url(),
        "CHAPPE_CACHE_URL": served.cache.url(), "CHAPPE_GRPC_PORT": "0", "CHAPPE_WEBHOOKS_PORT": "0",
        "CHAPPE_HASH_KEY": "a key of the bench", **{f"CHAPPE_WHATSAPP_{name}": word for name, word in _SECRETS.items()},
    }  # fmt: skip


def _start(processes: Processes) -> tuple[int, str]:
    door = port_of(processes.start("webhooks"))
    _, simulator = processes.start_simulator(
        settings={
            "SIMULATOR_PROFILE": "fast",
            "SIMULATOR_WEBHOOK_URL": f"http://127.0.0.1:{door}/webhooks/whatsapp",
            **{f"SIMULATOR_{name}": word for name, word in _SECRETS.items()},
        }
    )
    known = {"CHAPPE_WHATSAPP_BASE_URL": simulator}
    api = processes.start("serve", settings=known)
    processes.start("worker", settings=known)
    return port_of(api), simulator


async def _change(database_url: str, statement: str, *arguments: object) -> list[UUID]:
    """Runs a statement and returns the ids it returns."""
    connection = await asyncpg.connect(database_url)
    try:
        return [row["id"] for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


@asynccontextmanager
async def underway(address: str, key: str, simulator: str, *, seconds: float) -> AsyncIterator[Underway]:
    """Yields a campaign that takes longer than that; cancels it in the end."""
    async with aiohttp.ClientSession(simulator) as session:
        await session.patch("/_sim/settings", json={"suffixes": False}, raise_for_status=True)
    async with Chappe(address, key=key, timeout=60) as client:
        walk = await Walk.begin(client)
        numbers = [f"+3367{number:07d}" for number in range(int(PER_SECOND * (seconds + _SPARE_SECONDS)))]
        campaign = await walk.create_campaign(await walk.import_numbers(numbers), per_second=PER_SECOND)
        await walk.start(campaign)
        try:
            yield Underway(walk=walk, campaign=campaign)
        finally:
            await client.campaigns.cancel_campaign(v1.CancelCampaignRequest(name=campaign.name))
