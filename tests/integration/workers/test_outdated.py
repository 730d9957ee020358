"""What changes the numbers of a campaign that is over refreshes what the API keeps for long of it, and nothing else."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import redis.asyncio as redis

from core.cache.keys import generation_keys
from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.repositories.rooms import Store
from stack import programs
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import body, reply, status
from tests.helpers.workers import idle_worker
from workers.settler import write
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
    await over(at, state)
    told = body(statuses=[status("read", LATER, wamid=f"wamid.{ref.message_id}", ref=ref)])
    keys = await generations_after(at, told, worker_settings, cache_url)
    assert (await at.message(ref))["state"] == "READ"
    assert set(keys) <= {key.encode() for key in generation_keys([f"campaigns/{ref.campaign_id}"])}
    return keys


async def over(at: Desk, state: str = "COMPLETED") -> None:
    await at.plan.connection.execute("UPDATE campaigns SET state = $1, complete_time = now()", state)


async def generations_after(at: Desk, told: bytes, worker_settings: dict[str, str], cache_url: str) -> list[bytes]:
    """Lets a worker apply what WhatsApp tells; returns the generations there are then."""
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([told])
    async with idle_worker(worker_settings, CACHE_URL=cache_url) as worker:
        await apply_deliveries(worker.engine)
    async with redis.Redis.from_url(cache_url) as server:
        return [key async for key in server.scan_iter("*")]


async def test_a_late_receipt_outdates_the_replies_of_a_campaign_that_is_over(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    assert len(await generations(at, worker_settings, cache_url, state="COMPLETED")) == 1


async def test_a_reply_to_a_campaign_that_is_over_outdates_its_replies_once(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    (ref,) = await at.sent()
    await over(at)
    quote = {"from": "15550001111", "id": f"wamid.{ref.message_id}"}
    told = body(messages=[reply("Yes!", LATER, wamid="wamid.in", phone="+491700000001", context=quote)])
    keys = await generations_after(at, told, worker_settings, cache_url)
    assert [key.decode() for key in keys] == generation_keys([f"campaigns/{ref.campaign_id}"])
    async with redis.Redis.from_url(cache_url) as server:
        await server.flushdb()
    assert not await generations_after(at, told, worker_settings, cache_url)  # told again, it counts nothing


async def test_a_double_that_is_proven_in_a_campaign_that_is_over_outdates_its_replies(
    at: Desk, worker_settings: dict[str, str], cache_url: str
) -> None:
    (ref,) = await at.sent(attempt=2)
    await at.plan.connection.execute(
        """UPDATE messages SET state = 'READ', read_time = $1, deliver_time = $1, send_time = $1,
            whatsapp_message_id = 'wamid.2'""",
        NOW,
    )
    await over(at)
    told = body(statuses=[status("sent", NOW, wamid="wamid.1", ref=replace(ref, attempt=1))])
    keys = await generations_after(at, told, worker_settings, cache_url)
    assert await at.value("SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL") == 1
    assert [key.decode() for key in keys] == generation_keys([f"campaigns/{ref.campaign_id}"])


async def test_a_late_accept_that_proves_a_double_outdates_what_is_kept_of_a_campaign_that_is_over(at: Desk) -> None:
    (ref,) = await at.sent(attempt=2)
    await over(at)
    await at.plan.connection.execute("INSERT INTO message_attempts SELECT campaign_id, id, 1 FROM messages")
    told = list[str]()
    first = replace(ref, attempt=1)
    late = Settlement(ref=first, state=MessageState.ACCEPTED, whatsapp_message_id="wamid.1")
    assert await write(Store(at.database, outdate=told.extend), [late]) == 1
    assert told == [f"campaigns/{ref.campaign_id}"]


async def test_a_double_that_the_newest_attempt_proves_late_outdates_what_is_kept_of_a_campaign_that_is_over(
    at: Desk,
) -> None:
    """The late accept of the first attempt let the campaign end while the second one was on the wire."""
    (ref,) = await at.sent("SENDING", attempt=2)
    await at.plan.connection.execute("INSERT INTO message_attempts SELECT campaign_id, id, 1 FROM messages")
    told = list[str]()
    store = Store(at.database, outdate=told.extend)
    first, second = (
        Settlement(ref=replace(ref, attempt=n), state=MessageState.ACCEPTED, whatsapp_message_id=f"wamid.{n}")
        for n in (1, 2)
    )
    await write(store, [first])
    await over(at)
    assert await write(store, [second]) == 0
    assert await at.value("SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL") == 1
    assert told == [f"campaigns/{ref.campaign_id}"]


async def test_counters_that_are_set_right_outdate_what_is_kept_of_their_campaign(
    at: Desk, fresh_database_url: str, cache_url: str
) -> None:
    (ref,) = await at.sent()
    await over(at)
    _, said = await repair(at, ref, CHAPPE_DATABASE_URL=fresh_database_url, CHAPPE_CACHE_URL=cache_url)
    assert "cache" not in said
    async with redis.Redis.from_url(cache_url) as server:
        assert await server.exists(*generation_keys([f"campaigns/{ref.campaign_id}"]))


async def test_whoever_sets_counters_right_is_told_when_the_cache_could_not_be(
    at: Desk, fresh_database_url: str
) -> None:
    (ref,) = await at.sent()
    away = "redis://127.0.0.1:1/0"
    code, said = await repair(at, ref, CHAPPE_DATABASE_URL=fresh_database_url, CHAPPE_CACHE_URL=away)
    assert (code, "set right" in said) == (0, True)
    assert f"the API may show what it kept before of campaigns/{ref.campaign_id}" in said


async def repair(at: Desk, ref: MessageRef, **settings: str) -> tuple[int, str]:
    """Makes the counters of a campaign wrong and has them set right; returns the exit code and what was said."""
    await at.plan.connection.execute("INSERT INTO counters VALUES ($1, 'READ', 0, 7, 2)", ref.campaign_id)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "recount", f"campaigns/{ref.campaign_id}", "--repair",
        cwd=programs.ROOT, env=programs.environment(settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


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
