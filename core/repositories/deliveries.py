"""Webhook bodies: appended by the door, claimed and marked by the workers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core.db import Connection, Row
from core.queries import load

SQL = load("deliveries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Holds one body as received; `attempt` counts the tries to apply it."""

    id: UUID
    attempt: int
    body: bytes = field(repr=False)


class Deliveries:
    """Keeps webhook bodies on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def append_deliveries(self, bodies: Sequence[bytes]) -> None:
        """Appends all bodies in one statement: after it they are durable, or none of them is."""
        await self._connection.execute(SQL["append_deliveries"], bodies)

    async def beat(self) -> None:
        """Notes this second as one in which the door was up."""
        await self._connection.execute(SQL["beat"])

    async def enter_by_keys(self) -> None:
        """Keeps the rest of the transaction from reading a table from end to end."""
        await self._connection.execute(SQL["enter_by_keys"])

    async def claim_deliveries(self, *, limit: int) -> list[Delivery]:
        """Locks the oldest unapplied bodies until the transaction ends, passing over those others hold."""
        return [_delivery(row) for row in await self._connection.fetch(SQL["claim_deliveries"], limit)]

    async def claim_delivery(self, delivery_id: UUID) -> Delivery | None:
        """Locks one body, or returns None when it is done or held by someone else."""
        row = await self._connection.fetchrow(SQL["claim_delivery"], delivery_id)
        return _delivery(row) if row else None

    async def mark_applied(self, errors: dict[UUID, str]) -> None:
        """Marks bodies as done, each with the reason why it could not be read, or an empty text."""
        await self._connection.execute(SQL["mark_applied"], list(errors), list(errors.values()))

    async def mark_failed(self, delivery_id: UUID, *, error: str, max_attempts: int) -> None:
        """Counts one more failed try of a body; after the last one nobody tries it again."""
        await self._connection.execute(SQL["mark_failed"], delivery_id, error, max_attempts)

    async def count_unapplied(self, *, limit: int) -> int:
        """Returns how many bodies and parked receipts are to be applied, at most the limit of each."""
        return int(await self._connection.fetchval(SQL["count_unapplied"], limit))

    async def delete_old_deliveries(self, *, before: datetime, limit: int) -> None:
        """Forgets some of the applied bodies received before a moment."""
        await self._connection.execute(SQL["delete_old_deliveries"], before, limit)

    async def delete_old_heartbeats(self, *, before: datetime) -> None:
        """Forgets heartbeats before a moment."""
        await self._connection.execute(SQL["delete_old_heartbeats"], before)


def _delivery(row: Row) -> Delivery:
    return Delivery(id=row["id"], attempt=row["attempt"], body=row["body"])
