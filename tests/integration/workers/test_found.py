"""Processes that die right after a commit: what was committed and never rung for is found by a keeper."""

from functools import partial
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.repositories.expansion import Expansion
from server.services.campaign_retries import retry_failed_messages
from tests.helpers import campaign_rows as rows
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, desk
from tests.helpers.sending import ACCOUNT, SENDER, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import busy_worker, idle_worker
from workers.tasks.campaigns import retry_messages


@pytest.mark.parametrize("planned_before", [0, 20])
async def test_a_started_campaign_nobody_rang_for_is_planned_to_the_end_sent_and_completed(
    fresh_database_url: str, worker_settings: dict[str, str], planned_before: int
) -> None:
    async with Database(url=fresh_database_url, pool_size=2) as database, database.connection() as connection:
        campaign_id = await _started(connection)
        if planned_before:
            async with database.transaction() as planning:
                await Expansion(planning).expand_page(campaign_id, planned_before)
        async with busy_worker(worker_settings):
            await eventually(partial(_is_completed, connection), 20)
        assert await connection.fetchval("SELECT count(*) FROM messages WHERE state = 'ACCEPTED'") == 50
        assert await connection.fetchval("SELECT audience_count FROM campaigns") == 50


async def test_a_retry_that_was_left_half_done_is_brought_to_its_end(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(4500)) as plan, idle_worker(worker_settings) as dead:
        await plan.connection.execute(
            "UPDATE messages SET state = 'FAILED', error_code = 131000, reason = 'UNDELIVERED'"
        )
        await plan.connection.execute("UPDATE campaigns SET state = 'COMPLETED'")
        async with dead.engine.store.transaction() as rooms:
            count = (await retry_failed_messages(rooms, plan.campaign_id, error_codes=(), at=NOW)).message_count
        assert count == 4500
        assert await plan.states() == {"FAILED": 2500, "PENDING": 2000}
        async with busy_worker(worker_settings):
            await eventually(partial(plan.all_are, "ACCEPTED"), 40)
            await eventually(partial(_is_completed, plan.connection), 20)
        assert await plan.connection.fetchval("SELECT count(*) FROM retries") == 0


async def test_of_a_cancelled_campaign_nothing_more_is_put_back(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(2100)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute(
            "UPDATE messages SET state = 'FAILED', error_code = 131000, reason = 'UNDELIVERED'"
        )
        async with worker.engine.store.transaction() as rooms:
            await retry_failed_messages(rooms, plan.campaign_id, error_codes=(), at=NOW)
        await plan.connection.execute("UPDATE campaigns SET state = 'CANCELLED'")
        await retry_messages(worker.engine, plan.campaign_id)
        assert await plan.states() == {"FAILED": 100, "PENDING": 2000}
        assert await plan.connection.fetchval("SELECT count(*) FROM retries") == 0


async def test_a_webhook_nobody_rang_for_is_applied(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with desk(fresh_database_url, numbers(1)) as at:
        (ref,) = await at.sent()
        async with at.store.connection() as rooms:
            told = status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)
            await rooms.deliveries.append_deliveries([body(statuses=[told])])
        async with busy_worker(worker_settings):
            await eventually(partial(at.plan.all_are, "READ"), 20)


async def _started(connection: Connection) -> UUID:
    sender_id = await rows.add_sender(connection, phone_number_id=SENDER, account=ACCOUNT)
    template_id = await rows.add_template(connection, account=ACCOUNT)
    await rows.add_contacts(connection, 50)
    return await rows.add_campaign(connection, sender_id=sender_id, template_id=template_id)


async def _is_completed(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT state = 'COMPLETED' FROM campaigns"))
