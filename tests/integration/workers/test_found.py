"""Processes that die right after a commit: what was committed and never rung for is found by a keeper."""

from functools import partial
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.repositories.expansion import Expansion
from tests.helpers import campaign_rows as rows
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, desk
from tests.helpers.sending import ACCOUNT, SENDER, numbers
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import busy_worker


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
