"""A worker against the simulator: every message leaves once, and every answer is believed for what it says."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from redis.asyncio import Redis

from core.queue.doorbell import EvictingServerError
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.http import Http
from tests.helpers.eventually import eventually
from tests.helpers.sending import CLOCK, Plan, numbers, planned, settings
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker, idle_worker, pump_out
from workers.assembly import assembled
from workers.engine import Safeguards
from workers.pump import pump_sender

_LAST = "SELECT contact_id FROM messages ORDER BY not_before_time DESC, id DESC LIMIT 1"
_LOST = "+491700009198"  # WhatsApp takes the message and never answers


async def test_a_keeper_finds_planned_messages_and_they_are_sent_once(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(300)) as plan, busy_worker(worker_settings):
        await eventually(partial(plan.all_are, "ACCEPTED"), 20)
        assert await whatsapp_and_url[0].accepted_count() == 300
        assert await whatsapp_and_url[0].doubled_count() == 0
        assert await plan.value("count(DISTINCT whatsapp_message_id)") == 300


async def test_two_pumps_of_one_sender_send_nothing_twice(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(200)) as plan,
        idle_worker(worker_settings) as one,
        idle_worker(worker_settings) as other,
    ):
        await asyncio.gather(pump_out(one, plan.sender_id), pump_out(other, plan.sender_id))
        assert await plan.states() == {"ACCEPTED": 200}
        assert await whatsapp_and_url[0].accepted_count() == 200


async def test_a_second_ring_in_the_same_process_makes_no_second_pump(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(60), per_second=40) as plan, idle_worker(worker_settings) as worker:
        first = asyncio.create_task(pump_out(worker, plan.sender_id))
        await eventually(partial(_sends, plan))
        async with asyncio.timeout(0.5):
            await pump_out(worker, plan.sender_id)
        assert not first.done()
        await first
        assert await plan.states() == {"ACCEPTED": 60}


async def test_a_run_that_is_cancelled_again_and_again_gives_its_lease_up_all_the_same(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(60), per_second=40) as plan, idle_worker(worker_settings) as worker:
        run = asyncio.create_task(pump_sender(worker.engine, plan.sender_id))
        await eventually(partial(_sends, plan))
        for _ in range(2):
            run.cancel()
            await asyncio.wait({run}, timeout=0.01)
        await asyncio.wait({run}, timeout=10)
        assert run.cancelled()
        await worker.engine.drains.finish()
        assert await plan.connection.fetchval("SELECT holder = '' AND release_time IS NOT NULL FROM pumps")
        assert not worker.engine.unwritten.count


async def test_without_redis_messages_are_sent_all_the_same(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    nowhere = {**worker_settings, "CHAPPE_QUEUE_URL": "redis://127.0.0.1:1/0"}
    async with planned(fresh_database_url, numbers(100)) as plan, busy_worker(nowhere):
        await eventually(partial(plan.all_are, "ACCEPTED"), 20)


async def test_the_pace_of_a_sender_is_kept(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with planned(fresh_database_url, numbers(60), per_second=40) as plan, idle_worker(worker_settings) as worker:
        started = CLOCK.monotonic()
        await pump_out(worker, plan.sender_id)
        assert CLOCK.monotonic() - started >= 59 / 40
        assert await plan.states() == {"ACCEPTED": 60}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+491700009109", ("FAILED", "REJECTED", 131009)),
        ("+491700009130", ("FAILED", "REJECTED", 131030)),
        ("+491700009102", ("PENDING", "", 0)),
        ("+491700009156", ("PENDING", "", 0)),
        ("+491700009132", ("PENDING", "", 0)),
    ],
)
async def test_each_refusal_is_answered_as_the_table_says(
    fresh_database_url: str, worker_settings: dict[str, str], number: str, expected: tuple[str, str, int]
) -> None:
    async with planned(fresh_database_url, [number]) as plan, idle_worker(worker_settings) as worker:
        await pump_out(worker, plan.sender_id)
        assert await plan.value("(state, reason, error_code)") == expected


async def test_a_fault_of_the_template_pauses_the_campaign_with_a_reason_and_fails_nobody(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, [*numbers(3), "+491700009132"]) as plan,
        idle_worker(worker_settings) as worker,
    ):
        await pump_out(worker, plan.sender_id)
        row = await plan.connection.fetchrow("SELECT state, pause_source, pause_reason FROM campaigns")
        assert row is not None
        assert (row["state"], row["pause_source"]) == ("PAUSED", "TEMPLATE")
        assert "132000" in row["pause_reason"]
        assert "FAILED" not in await plan.states()


async def test_a_wrong_token_pauses_the_campaign(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    wrong = {**worker_settings, "CHAPPE_WHATSAPP_ACCESS_TOKEN": "wrong"}
    async with planned(fresh_database_url, numbers(5)) as plan, idle_worker(wrong) as worker:
        await pump_out(worker, plan.sender_id)
        assert await plan.connection.fetchval("SELECT pause_source FROM campaigns") == "CREDENTIAL"
        assert await plan.all_are("PENDING")


async def test_a_lost_answer_leaves_the_message_in_doubt_and_unsent(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with (
        planned(fresh_database_url, ["+491700009198"]) as plan,
        idle_worker(worker_settings, CHAPPE_WHATSAPP_TIMEOUT_SECONDS="0.5") as worker,
    ):
        await pump_out(worker, plan.sender_id)
        await pump_out(worker, plan.sender_id)
        assert await plan.all_are("UNCONFIRMED")
        assert await whatsapp_and_url[0].accepted_count() == 1


async def test_an_attempt_that_fails_as_nobody_foresaw_leaves_its_message_in_doubt_at_once(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    """A pool that was never opened stands for whatever the code has no word for."""
    unopened = WhatsAppClient(http=Http(timeout_seconds=1, max_connections=1), base_url="http://x", api_version="v1")
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await pump_sender(replace(worker.engine, client=unopened), plan.sender_id)
        await worker.engine.drains.finish()
        assert await plan.all_are("UNCONFIRMED")


async def test_a_call_that_never_left_is_tried_again_without_charge(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    nowhere = {**worker_settings, "CHAPPE_WHATSAPP_BASE_URL": "http://127.0.0.1:1"}
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(nowhere) as worker:
        await pump_out(worker, plan.sender_id)
        assert await plan.value("state") == "PENDING"
        assert await plan.value("retry_count") == 0


@pytest.mark.parametrize(("lease_check", "accepted"), [(True, 0), (False, 3)])
async def test_a_worker_thawed_after_its_lease_sends_nothing(
    fresh_database_url: str,
    worker_settings: dict[str, str],
    whatsapp_and_url: tuple[WhatsApp, str],
    lease_check: bool,
    accepted: int,
) -> None:
    """With a lease that has always ended, only the check stands between a claim and the wire."""
    given = settings(**worker_settings, CHAPPE_LEASE_SECONDS="0.000001")
    async with (
        planned(fresh_database_url, numbers(3), per_second=20) as plan,
        assembled(
            settings=given,
            clock=CLOCK,
            stopping=asyncio.Event(),
            safeguards=Safeguards(lease_check=lease_check),
        ) as worker,
    ):
        run = asyncio.create_task(pump_out(worker, plan.sender_id))
        await eventually(lambda: plan.value("max(attempt) > 0"))
        await plan.connection.execute("UPDATE campaigns SET state = 'PAUSED'")
        await run
        assert await whatsapp_and_url[0].accepted_count() == accepted


async def test_a_stopping_worker_leaves_nothing_in_doubt(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(400), per_second=200) as plan:
        async with busy_worker(worker_settings):
            await eventually(lambda: plan.value("count(*) FILTER (WHERE state = 'ACCEPTED') > 20"), 20)
        left = await plan.states()
        assert set(left) == {"ACCEPTED", "PENDING"}
        assert left["ACCEPTED"] == await whatsapp_and_url[0].accepted_count()


async def test_a_stopping_worker_waits_for_a_hanging_call_until_its_timeout_and_says_so_then(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    given = {**worker_settings, "CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "2", "CHAPPE_WORKER_CONCURRENCY": "1"}
    async with planned(fresh_database_url, [_LOST, *numbers(3)]) as plan:
        async with busy_worker(given):
            await eventually(whatsapp_and_url[0].accepted_count, 20, message="the call that hangs is on the wire")
            stopped = CLOCK.monotonic()
        assert CLOCK.monotonic() - stopped < 5
        assert await plan.states() == {"UNCONFIRMED": 1, "PENDING": 3}


async def test_a_stopping_worker_waits_for_answers_that_come_after_its_grace(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(3)) as plan:
        await whatsapp_and_url[0].add_rule(endpoint="messages", action="delay", seconds=1.0)
        async with busy_worker(worker_settings, CHAPPE_STOP_GRACE_SECONDS="0.1"):
            await eventually(whatsapp_and_url[0].accepted_count, 20)
            assert await plan.value("count(*) FILTER (WHERE state = 'SENDING') > 0")
        left = await plan.states()
        assert set(left) <= {"ACCEPTED", "PENDING"}
        assert left["ACCEPTED"] == await whatsapp_and_url[0].accepted_count()


async def test_a_run_does_not_end_for_batches_of_those_who_opted_out(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(20), per_second=5) as plan, idle_worker(worker_settings) as worker:
        last = await plan.connection.fetchval(_LAST)
        await plan.connection.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT' WHERE id <> $1", last)
        await pump_out(worker, plan.sender_id)
        assert await plan.states() == {"SKIPPED": 19, "ACCEPTED": 1}


@pytest.mark.parametrize(("number_pace", "campaign_pace"), [(1, None), (1000, 1)])
async def test_who_was_written_to_too_often_neither_ends_a_run_nor_uses_up_slots(
    fresh_database_url: str, worker_settings: dict[str, str], number_pace: float, campaign_pace: float | None
) -> None:
    """At one slot a second, those behind them would not leave within the run."""
    async with (
        planned(fresh_database_url, numbers(20), per_second=number_pace) as plan,
        idle_worker(worker_settings) as worker,
    ):
        await plan.connection.execute("UPDATE campaigns SET messages_per_second = $1", campaign_pace)
        last = await plan.connection.fetchval(_LAST)
        often = await plan.connection.fetch("SELECT id FROM contacts WHERE id <> $1", last)
        ids = [row["id"] for row in often] * 45
        await worker.engine.pace.wait_for_pairs(sender_id=plan.sender_id, contact_ids=ids)
        await pump_out(worker, plan.sender_id)
        state = "SELECT state FROM messages WHERE contact_id = $1"
        assert await plan.connection.fetchval(state, last) == "ACCEPTED"


async def test_a_paused_campaign_sends_nothing(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with planned(fresh_database_url, numbers(5)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE campaigns SET state = 'PAUSED'")
        await pump_out(worker, plan.sender_id)
        assert await plan.all_are("PENDING")


async def test_a_worker_refuses_a_queue_that_evicts(worker_settings: dict[str, str], queue_url: str) -> None:
    async with Redis.from_url(queue_url) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            with pytest.raises(EvictingServerError):
                async with idle_worker(worker_settings):
                    pass
        finally:
            await redis.config_set("maxmemory-policy", "noeviction")


async def test_a_campaigns_own_pace_is_kept_beside_its_senders(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(45)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE campaigns SET messages_per_second = 30")
        started = CLOCK.monotonic()
        await pump_out(worker, plan.sender_id)
        # Half a second's worth may leave at once.
        assert CLOCK.monotonic() - started >= (45 - 16) / 30
        assert await plan.all_are("ACCEPTED")


async def test_a_small_campaign_does_not_wait_for_a_large_one_of_the_same_sender(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(200), per_second=100) as plan:
        small = await plan.connection.fetchval(
            """WITH small AS (
                INSERT INTO campaigns (display_name, sender_id, template_id, bindings, state, expand_complete_time)
                SELECT 'Small', sender_id, template_id, bindings, 'RUNNING', now() FROM campaigns RETURNING id
            ), moved AS (
                INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters)
                SELECT small.id, contact_id, sender_id, 1, parameters FROM small CROSS JOIN messages LIMIT 20
            )
            SELECT id FROM small"""
        )
        async with busy_worker(worker_settings):
            left = "count(*) FILTER (WHERE campaign_id = $1 AND state <> 'ACCEPTED')"
            query = f"SELECT {left} = 0 AND count(*) FILTER (WHERE state = 'PENDING') > 100 FROM messages"  # noqa: S608  # names of our own
            assert await eventually(lambda: plan.connection.fetchval(query, small), 10)


async def test_the_breaker_pauses_a_campaign_that_fails_for_reasons_of_its_own(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(200), per_second=100) as plan,
        idle_worker(worker_settings) as worker,
    ):
        await plan.connection.execute("UPDATE campaigns SET bindings = '[]'")
        await pump_out(worker, plan.sender_id)
        row = await plan.connection.fetchrow("SELECT state, pause_source FROM campaigns")
        assert row is not None
        assert (row["state"], row["pause_source"]) == ("PAUSED", "BREAKER")
        assert (await plan.states())["PENDING"] > 100


async def _sends(plan: Plan) -> bool:
    return "ACCEPTED" in await plan.states()
