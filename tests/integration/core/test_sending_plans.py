"""What is not known of a table that was just filled must not make the engine slow: its statements enter by keys."""

from uuid import UUID

import asyncpg
import pytest

from core.clock import SystemClock
from core.db import Connection, Database
from core.domain.messages import MessageState
from core.domain.outcomes import Claimed, Settlement
from core.repositories.rooms import Store
from core.repositories.sending import BOTTOM
from tests.helpers.campaign_rows import add_campaign, add_sender, add_template
from workers.assembly import planned_each_time

ROWS = 100_000
BATCH = 200


@pytest.fixture(params=["never analysed", "analysed before the campaign"])
async def campaign_id(fresh_database_url: str, request: pytest.FixtureRequest) -> UUID:
    """A running campaign of many messages, of which the table's statistics say nothing."""
    async with Database(url=fresh_database_url) as database, database.connection() as connection:
        sender_id = await add_sender(connection)
        template_id = await add_template(connection)
        campaign_id = await add_campaign(connection, sender_id=sender_id, template_id=template_id)
        await connection.execute("ALTER TABLE messages SET (autovacuum_enabled = false)")
        await connection.execute(
            """INSERT INTO contacts (phone_number)
            SELECT '+49' || (1700000000 + n) FROM generate_series(1, $1::integer) AS n""",
            ROWS,
        )
        if request.param != "never analysed":
            earlier = await add_campaign(connection, sender_id=sender_id, template_id=template_id)
            await _add_messages(connection, earlier, state="READ")
            await connection.execute("ANALYZE")
        await _add_messages(connection, campaign_id, state="PENDING")
    return campaign_id


async def test_claims_and_settles_stay_fast_on_a_freshly_filled_table(
    fresh_database_url: str, campaign_id: UUID
) -> None:
    clock = SystemClock()
    async with Database(url=planned_each_time(fresh_database_url), pool_size=1) as database:
        store, floor = Store(database), BOTTOM
        started = clock.monotonic()
        for _ in range(20):
            async with store.connection() as rooms:
                claims = await rooms.sending.claim_messages({campaign_id: floor}, limit=BATCH, lease_seconds=60)
                claim = claims[campaign_id]
                assert len(claim.messages) == BATCH
                assert claim.floor is not None
                floor = claim.floor
                assert len(await rooms.sending.settle_messages([_accepted(one) for one in claim.messages])) == BATCH
        seconds = clock.monotonic() - started
    # Entering by the state's index, each statement reads the whole campaign: some 100 ms instead of some 10.
    assert seconds < 20 * 0.15


async def test_the_statements_read_no_table_from_end_to_end(fresh_database_url: str, campaign_id: UUID) -> None:
    connection = await asyncpg.connect(planned_each_time(fresh_database_url))
    try:
        before = await _sequential_reads(connection)
        async with (
            Database(url=planned_each_time(fresh_database_url), pool_size=1) as database,
            Store(database).connection() as rooms,
        ):
            claims = await rooms.sending.claim_messages({campaign_id: BOTTOM}, limit=BATCH, lease_seconds=0.001)
            await rooms.sending.settle_messages([_accepted(one) for one in claims[campaign_id].messages[1:]])
            await rooms.sending.expire_leases(BATCH)
            await rooms.pumps.list_due_senders()
        assert await _sequential_reads(connection) - before == 0
    finally:
        await connection.close()


async def _add_messages(connection: Connection, campaign_id: UUID, *, state: str) -> None:
    await connection.execute(
        """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters, state, not_before_time)
        SELECT $1, contacts.id, sender_id, 1, '[]', $2, now() - interval '1 minute'
        FROM contacts, campaigns WHERE campaigns.id = $1 ORDER BY contacts.id""",
        campaign_id,
        state,
    )


async def _sequential_reads(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(await connection.fetchval("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'messages'"))


def _accepted(claimed: Claimed) -> Settlement:
    return Settlement(ref=claimed.ref, state=MessageState.ACCEPTED, whatsapp_message_id="wamid.A")
