"""Messages and numbers as a caller sees them: a real door on a real database with rows in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import grpc
import pytest
from chappe.v1 import campaigns_service_pb2_grpc, messages_service_pb2_grpc, stats_service_pb2_grpc
from google.protobuf.message import Message

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from core.repositories.stats import Stats
from core.settings import Settings
from server.assembly import assembled
from server.keys import create_key
from tests.helpers import campaign_rows
from tests.helpers.doors import details

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


@dataclass(frozen=True, slots=True)
class ReadsApi:
    """The services that list and count by their stubs, with a key that may only look, and the rows behind them."""

    messages: Any
    stats: Any
    campaigns: Any
    metadata: tuple[tuple[str, str], ...]
    rows: Rows

    async def call(self, method: Any, request: Message) -> Any:
        """Calls and returns the reply."""
        return await method(request, metadata=self.metadata, timeout=10)

    async def refusal(self, method: Any, request: Message) -> str:
        """Calls, expects a refusal and returns its reason."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.call(method, request)
        return str(details(refused.value)["ErrorInfo"].reason)


@asynccontextmanager
async def some_rows(database: Database) -> AsyncIterator[Rows]:
    """Yields a maker of rows with a sender and a template of its own."""
    async with database.connection() as connection:
        sender_id = await campaign_rows.add_sender(connection)
        template_id = await campaign_rows.add_template(connection)
    yield Rows(database, sender_id, template_id)


@asynccontextmanager
async def serving_reads(
    *, database_url: str, cache_url: str, queue_url: str, cache_enabled: bool = False
) -> AsyncIterator[ReadsApi]:
    """Serves on a free port and yields the services."""
    settings = Settings(
        database_url=database_url, cache_url=cache_url, queue_url=queue_url, grpc_port=0, cache_enabled=cache_enabled,
        hash_key="a key of the tests",
    )  # fmt: skip
    async with (
        Database(url=database_url, pool_size=2) as own,
        assembled(settings=settings, clock=SystemClock()) as door,
    ):
        key = await create_key(Store(own), role="VIEWER")
        port = await door.open()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, some_rows(own) as rows:
            yield ReadsApi(
                messages_service_pb2_grpc.MessagesServiceStub(channel),
                stats_service_pb2_grpc.StatsServiceStub(channel),
                campaigns_service_pb2_grpc.CampaignsServiceStub(channel),
                (("authorization", f"Bearer {key}"),),
                rows,
            )
        await door.close()
