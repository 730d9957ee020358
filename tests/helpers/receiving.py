"""A database with messages on their way, webhook bodies put into it, and the task that applies them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from core.db import Database
from core.domain.messages import MessageRef
from core.repositories.rooms import Rooms, Store
from core.whatsapp.webhooks import parse
from tests.helpers.lock_waits import WAITERS
from tests.helpers.sending import Plan, plan
from tests.helpers.statements import CountingDatabase
from workers.tasks.announcements import follow_announcements
from workers.tasks.park import retry_parked
from workers.tasks.receipts import Applied, apply_batch, retry_failed

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = b"key of the test"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where deliveries arrive and are applied."""

    database: CountingDatabase
    plan: Plan

    @property
    def store(self) -> Store:
        """The rooms of this database."""
        return Store(self.database)

    async def deliver(self, *bodies: bytes) -> Applied:
        """Puts bodies in as the door does, and applies them in one batch."""
        async with self.store.connection() as rooms:
            await rooms.deliveries.append_deliveries(list(bodies))
        return await self.apply()

    async def apply(self, *, now: datetime = NOW) -> Applied:
        """Applies what waits."""
        return await apply_batch(self.store, now=now, hash_key=KEY, limit=1000)

    async def retry_failed(self) -> Applied:
        """Tries once more what could not be applied, as if its pause were over."""
        await self.value("UPDATE webhook_deliveries SET retry_time = now() WHERE retry_time IS NOT NULL")
        return await retry_failed(self.store, now=NOW, hash_key=KEY)

    async def retry(self, *, now: datetime) -> None:
        """Tries the parked receipts."""
        await retry_parked(self.store, now=now, hash_key=KEY)

    async def sent(
        self, state: str = "ACCEPTED", *, attempt: int = 1, reason: str = "", prefix: str = "wamid."
    ) -> list[MessageRef]:
        """Puts all messages into a state as if sent at that attempt; returns them in key order."""
        rows = await self.plan.connection.fetch(
            """UPDATE messages SET state = $1, attempt = $2, reason = $3, doubt_time = $4, lease_expire_time = $4,
                accept_time = CASE WHEN $1 IN ('ACCEPTED', 'HELD') THEN $4::timestamptz END,
                whatsapp_message_id = CASE WHEN $1 IN ('ACCEPTED', 'HELD') THEN $5 || id END,
                fail_time = CASE WHEN $1 = 'FAILED' THEN $4::timestamptz END
            RETURNING campaign_id, id""",
            state, attempt, reason, NOW, prefix,
        )  # fmt: skip
        rows.sort(key=lambda row: UUID(str(row["id"])))
        return [MessageRef(campaign_id=row["campaign_id"], message_id=row["id"], attempt=attempt) for row in rows]

    async def value(self, query: str, *arguments: object) -> Any:
        """Returns the only value of a query."""
        return await self.plan.connection.fetchval(query, *arguments)

    async def has_waiters(self, count: int) -> bool:
        """Whether so many connections wait for a lock."""
        return bool(await self.value(WAITERS) == count)

    async def message(self, ref: MessageRef) -> dict[str, Any]:
        """Returns a message's row."""
        row = await self.plan.connection.fetchrow(
            """SELECT state, reason, error_code, error_title, attempt, whatsapp_message_id, accept_time, send_time,
                deliver_time, read_time, fail_time
            FROM messages WHERE campaign_id = $1 AND id = $2""",
            ref.campaign_id, ref.message_id,
        )  # fmt: skip
        assert row is not None
        return dict(row)


@asynccontextmanager
async def desk(database_url: str, numbers: list[str]) -> AsyncIterator[Desk]:
    """Yields a desk in an empty database with one planned message to each number."""
    async with (
        CountingDatabase(url=database_url, pool_size=3) as database,
        Database(url=database_url, pool_size=1) as direct,
        direct.connection() as connection,
    ):
        yield Desk(database, await plan(connection, numbers))


async def announce(rooms: Rooms, *bodies: bytes) -> None:
    """Does within a transaction what WhatsApp's announcements in bodies call for, and nothing else of them."""
    hooks = [parse(told) for told in bodies]
    await follow_announcements(
        rooms,
        templates=[event for hook in hooks for event in hook.template_events],
        accounts=[event for hook in hooks for event in hook.account_events],
        now=NOW,
        is_last=True,
    )
