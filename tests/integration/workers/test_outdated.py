"""A late receipt refreshes what the API keeps for long of a campaign that is over, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import redis.asyncio as redis

from core.cache.keys import generation_keys
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from workers.tasks.receipts import apply_deliveries
from workers.tasks.upkeep import complete_campaigns

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, ["+491700000001"]) as made:
        yield made


async def generations(at: Desk, worker_settings: dict[str, str], cache_url: str, *, state: str) -> list[bytes]:
    """Lets a worker apply a receipt of a campaign in that state; returns the generations there are then."""
    (ref,) = await at.sent()
    await at.plan.connection.execute("UPDATE campaigns SET state = $1, complete_time = now()", state)
    async with at.store.connection() as rooms:
        told = body(statuses=[status("read", LATER, wamid=f"wamid.{ref.message_id}", ref=ref)])
        await rooms.deliveries.append_deliveries([told])
    async with idle_worker(worker_settings, CACHE_URL=cache_url) as worker:
        await apply_deliveries(worker.engine)
    assert (await at.message(ref))["state"] == "READ"
    async with redis.Redis.from_url(cache_url) as server:
        keys = [key async for key in server.scan_iter("*")]
    assert set(keys) <= {key.encode() for key in generation_keys([f"campaigns/{ref.campaign_id}"])}
    return keys


async def test_a_late_receipt_outdates_the_replies_of_a_campaign_that_is_over(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    assert len(await generations(at, worker_settings, cache_url, state="COMPLETED")) == 1


async def test_receipts_of_a_running_campaign_outdate_nothing(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    assert not await generations(at, worker_settings, cache_url, state="RUNNING")


async def test_a_campaign_that_runs_again_outdates_what_was_kept_of_it_as_over(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    campaign_id = await at.plan.connection.fetchval(
        "UPDATE campaigns SET state = 'COMPLETED', complete_time = now() RETURNING id"
    )
    async with idle_worker(worker_settings, CACHE_URL=cache_url) as worker:
        await complete_campaigns(worker.engine)
    assert await at.plan.connection.fetchval("SELECT state FROM campaigns") == "RUNNING"
    async with redis.Redis.from_url(cache_url) as server:
        assert await server.exists(*generation_keys([f"campaigns/{campaign_id}"]))


async def test_receipts_are_applied_also_while_the_cache_is_away(at: Desk, worker_settings: dict[str, str]) -> None:
    (ref,) = await at.sent()
    await at.plan.connection.execute("UPDATE campaigns SET state = 'COMPLETED', complete_time = now()")
    async with at.store.connection() as rooms:
        told = body(statuses=[status("read", LATER, wamid=f"wamid.{ref.message_id}", ref=ref)])
        await rooms.deliveries.append_deliveries([told])
    async with idle_worker(worker_settings, CACHE_URL="redis://127.0.0.1:1/0") as worker:
        await apply_deliveries(worker.engine)
    assert (await at.message(ref))["state"] == "READ"
