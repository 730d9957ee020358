"""WhatsApp's ids hold phone numbers: an answer that comes after an erasure brings none back."""

from uuid import UUID

import pytest

from core.clock import SystemClock
from core.db import Database
from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.repositories.rooms import Rooms, Store
from tests.helpers.sending import plan
from workers.settler import write

WAMID = "wamid.HBgLNDkxNzAwMDAwMDAwMBUCABEY"
KEPT = "SELECT whatsapp_message_id FROM messages UNION ALL SELECT whatsapp_message_id FROM message_attempts"


async def erase(rooms: Rooms, contact_id: UUID) -> None:
    contact = await rooms.contacts.lock_contact(contact_id)
    await rooms.erasure.erase(contact, hashes=[b"hash"], traces=[1], at=SystemClock().now(), lease_seconds=60)


@pytest.mark.parametrize("attempt", [1, 2], ids=["the newest attempt", "after a newer attempt"])
@pytest.mark.parametrize("state", ["SENT", "UNCONFIRMED", "FAILED"])
async def test_an_answer_after_the_erasure_leaves_no_whatsapp_id(
    fresh_database_url: str, state: str, attempt: int
) -> None:
    async with Database(url=fresh_database_url, pool_size=2) as database, database.connection() as connection:
        made = await plan(connection, ["+491700000000"])
        row = await connection.fetchrow(
            "UPDATE messages SET state = $1, attempt = $2, doubt_time = now() RETURNING id, contact_id", state, attempt
        )
        assert row is not None
        await connection.execute(
            "INSERT INTO message_attempts (campaign_id, message_id, attempt) SELECT $1, $2, 1 WHERE $3 > 1",
            made.campaign_id, row["id"], attempt,
        )  # fmt: skip
        store = Store(database)
        async with store.transaction() as rooms:
            await erase(rooms, row["contact_id"])
        ref = MessageRef(campaign_id=made.campaign_id, message_id=row["id"], attempt=1)
        await write(store, [Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=WAMID)])
        assert {kept["whatsapp_message_id"] for kept in await connection.fetch(KEPT)} == {None}
