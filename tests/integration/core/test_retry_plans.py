"""Putting failed messages back enters by keys, also on a table that was just filled and never analysed."""

from typing import cast
from uuid import UUID

import pytest

from core.clock import SystemClock
from core.db import Connection, Database
from core.repositories.retries import Retries
from core.repositories.transactions import Transactions
from core.whatsapp.errors import retry_choice
from tests.helpers.campaign_rows import add_campaign, add_contacts, add_sender, add_template
from tests.helpers.plans import Explaining
from workers.assembly import planned_each_time

ROWS = 20_000
PAGE = 500


@pytest.mark.parametrize("analysed", [False, True])
async def test_a_page_of_a_retry_reads_a_pages_worth_of_rows(fresh_database_url: str, *, analysed: bool) -> None:
    async with (
        Database(url=planned_each_time(fresh_database_url), pool_size=1) as database,
        database.transaction() as connection,
    ):
        sender_id = await add_sender(connection)
        template_id = await add_template(connection)
        campaign_id = await add_campaign(connection, sender_id=sender_id, template_id=template_id)
        await connection.execute("ALTER TABLE messages SET (autovacuum_enabled = false)")
        await add_contacts(connection, ROWS)
        if analysed:
            # What is known of the table is of a time before the campaign.
            await _add_failed(connection, await add_campaign(connection, sender_id=sender_id, template_id=template_id))
            await connection.execute("ANALYZE")
        await _add_failed(connection, campaign_id)
        await Transactions(connection).enter_by_keys()
        explaining = Explaining(connection)
        retries = Retries(cast("Connection", explaining))
        chosen = retry_choice((), now=SystemClock().now())
        found = await retries.find_page(campaign_id, after=UUID(int=0), limit=PAGE, chosen=chosen)
        assert len(found) == PAGE
        _reads_a_page(explaining)
        await retries.put_back(campaign_id, found, chosen=chosen)
        _reads_a_page(explaining)
        assert await connection.fetchval("SELECT count(*) FROM messages WHERE state = 'PENDING'") == PAGE


def _reads_a_page(explaining: Explaining) -> None:
    assert "messages" not in explaining.last.scanned_whole()
    assert explaining.last.rows_read() < 20 * PAGE


async def _add_failed(connection: Connection, campaign_id: UUID) -> None:
    await connection.execute(
        """INSERT INTO messages (campaign_id, contact_id, sender_id, state, error_code, reason, accept_time)
        SELECT $1, contacts.id, sender_id, 'FAILED', 131000, 'UNDELIVERED', now()
        FROM contacts, campaigns WHERE campaigns.id = $1 ORDER BY contacts.id""",
        campaign_id,
    )
