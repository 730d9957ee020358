"""A table that was just filled and never analysed must not make receipts slow: their statements enter by keys."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.clock import SystemClock
from core.domain.messages import MessageRef
from core.repositories.rooms import Store
from tests.helpers.receiving import KEY, NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.statements import CountingDatabase
from tests.helpers.webhook_bodies import body, reply, status
from workers.assembly import planned_each_time
from workers.tasks.receipts import apply_batch

ROWS = 60_000
BATCH = 500


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    """Many accepted messages in tables nobody has analysed."""
    async with desk(fresh_database_url, []) as made:
        connection = made.plan.connection
        for table in ("messages", "contacts"):
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        await connection.execute("INSERT INTO contacts (phone_number) SELECT unnest($1::text[])", numbers(ROWS))
        await connection.execute(
            """INSERT INTO messages (
                campaign_id, contact_id, sender_id, occurrence, state, attempt, whatsapp_message_id, accept_time
            )
            SELECT $1, id, $2, 1, 'ACCEPTED', 1, 'wamid.' || id, $3 FROM contacts ORDER BY id""",
            made.plan.campaign_id,
            made.plan.sender_id,
            NOW,
        )
        yield made


@pytest.mark.parametrize("as_workers_do", [True, False])
async def test_receipts_and_replies_read_no_table_from_end_to_end(
    fresh_database_url: str, at: Desk, *, as_workers_do: bool
) -> None:
    url = planned_each_time(fresh_database_url) if as_workers_do else fresh_database_url
    rows = await at.plan.connection.fetch(
        "SELECT id, whatsapp_message_id FROM messages ORDER BY id LIMIT $1", BATCH * 8
    )
    before = await _reads(at)
    clock = SystemClock()
    async with CountingDatabase(url=url) as database:
        started = clock.monotonic()
        for start in range(0, len(rows), BATCH):
            told = []
            for row in rows[start : start + BATCH]:
                ref = MessageRef(campaign_id=at.plan.campaign_id, message_id=row["id"], attempt=1)
                named = ref if row["id"].int % 2 else None
                told.append(status("delivered", NOW, wamid=row["whatsapp_message_id"], ref=named))
            replies = [reply("STOP", NOW + timedelta(hours=1), wamid=f"wamid.in.{start}", phone=numbers(ROWS)[start])]
            async with Store(database).connection() as rooms:
                await rooms.deliveries.append_deliveries([body(statuses=told), body(messages=replies)])
            await apply_batch(Store(database), now=NOW, hash_key=KEY)
        seconds = clock.monotonic() - started
    assert await _reads(at) == before
    assert await at.value("SELECT count(*) FROM messages WHERE state = 'DELIVERED'") == len(rows)
    # Entering by another index, each batch reads the whole campaign and takes seconds.
    assert seconds < len(rows) / 1000


async def _reads(at: Desk) -> int:
    """Counts the times a large table was read whole."""
    # What this connection itself read is reported late unless asked for; it must not count as the task's.
    await at.plan.connection.execute("SELECT pg_stat_force_next_flush()")
    await at.plan.connection.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        await at.value("SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relname IN ('messages', 'contacts')")
    )
