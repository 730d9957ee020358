"""Messages and numbers as a caller sees them: a real door on a real database with rows in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chappe.v1 import campaigns_service_pb2_grpc, messages_service_pb2_grpc, stats_service_pb2_grpc

from core.db import Database
from core.repositories.stats import Stats
from tests.helpers import campaign_rows
from tests.helpers.served import Api, serving_to

_PLAN = """
    INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence)
    SELECT $1, contact_id, $2, NULL FROM unnest($3::uuid[]) AS contact_id ORDER BY contact_id"""
_MOVE = """
    UPDATE messages
    SET state = input.state, error_code = input.error_code, lease_expire_time = now(), doubt_time = now(),
        reason = CASE input.state WHEN 'SKIPPED' THEN 'OPTED_OUT' ELSE '' END,
        accept_time = CASE WHEN input.state IN ('ACCEPTED', 'HELD', 'SENT', 'DELIVERED', 'READ') THEN now() END,
        read_time = CASE WHEN input.state = 'READ' THEN now() END,
        fail_time = CASE WHEN input.state = 'FAILED' THEN now() END
    FROM unnest($2::uuid[], $3::text[], $4::integer[]) AS input (contact_id, state, error_code)
    WHERE messages.campaign_id = $1 AND messages.contact_id = input.contact_id"""
_INTERACTIONS = """
    INSERT INTO interactions (sender_id, contact_id, campaign_id, message_id, kind, text, payload, interaction_time)
    SELECT sender_id, contact_id, campaign_id, messages.id, $2, 'yes', '{"button": {"payload": "YES"}, "n": [1, null]}',
        now() + random() * interval '1 hour'
    FROM messages WHERE campaign_id = $1 AND contact_id IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Puts rows into the database as workers would."""

    database: Database
    sender_id: UUID
    template_id: UUID

    async def campaign(self, *, state: str = "RUNNING") -> UUID:
        """Adds a campaign."""
        async with self.database.connection() as connection:
            return await campaign_rows.add_campaign(
                connection, sender_id=self.sender_id, template_id=self.template_id, state=state
            )

    async def messages(self, campaign_id: UUID, *states: str, error_code: int = 0) -> list[UUID]:
        """Adds a message to a contact of its own for each state; returns the contacts."""
        async with self.database.connection() as connection:
            contacts = await campaign_rows.add_contacts(connection, len(states))
            codes = [error_code if state == "FAILED" else 0 for state in states]
            await connection.execute(_PLAN, campaign_id, self.sender_id, contacts)
            await connection.execute(_MOVE, campaign_id, contacts, list(states), codes)
            return contacts

    async def interactions(self, campaign_id: UUID, *, kind: str = "TEXT") -> None:
        """Adds an answer to every message of a campaign."""
        await self.execute(_INTERACTIONS, campaign_id, kind)

    async def fold_minutes(self) -> None:
        """Folds all minutes into hours, as upkeep does with old ones."""
        async with self.database.connection() as connection:
            await Stats(connection).fold_minutes(before=datetime.max.replace(tzinfo=UTC), limit=10_000)

    async def execute(self, statement: str, *arguments: object) -> None:
        """Changes rows."""
        async with self.database.connection() as connection:
            await connection.execute(statement, *arguments)

    async def fetch(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        """Reads rows."""
        async with self.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, *arguments)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadsApi(Api):
    """The services that list and count, with a key that may only look, and the rows behind them."""

    messages: Any
    stats: Any
    campaigns: Any
    rows: Rows


@asynccontextmanager
async def some_rows(database: Database) -> AsyncIterator[Rows]:
    """Yields a maker of rows with a sender and a template of its own."""
    async with database.connection() as connection:
        sender_id = await campaign_rows.add_sender(connection)
        template_id = await campaign_rows.add_template(connection)
    yield Rows(database, sender_id, template_id)


@asynccontextmanager
async def serving_reads(**settings: Any) -> AsyncIterator[ReadsApi]:
    """Serves on a free port and yields the services."""
    async with serving_to("VIEWER", **settings) as at, some_rows(at.database) as rows:
        yield ReadsApi(
            metadata=at.metadata,
            messages=messages_service_pb2_grpc.MessagesServiceStub(at.channel),
            stats=stats_service_pb2_grpc.StatsServiceStub(at.channel),
            campaigns=campaigns_service_pb2_grpc.CampaignsServiceStub(at.channel),
            rows=rows,
        )
