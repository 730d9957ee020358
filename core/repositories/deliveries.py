"""Webhook bodies: appended by the door, claimed and marked by the workers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Connection, Row
from core.queries import load
from core.repositories.arrays import bigints

SQL = load("deliveries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Holds one body as received; a replay was applied before."""

    id: UUID
    body: bytes = field(repr=False)
    receive_time: datetime
    is_replay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Says what became of one body; `error` is why nothing of it could be applied.

    `unknown` counts what was not understood; `traces` are of whom it tells, None when that is not known.
    """

    error: str = ""
    unknown: Mapping[str, int] = field(default_factory=dict)
    traces: Sequence[int] | None = field(default=None, repr=False)


class Deliveries:
    """Keeps webhook bodies on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def append_deliveries(self, bodies: Sequence[bytes], *, urgent: Sequence[bool] | None = None) -> None:
        """Appends all bodies in one statement: after it they are durable, or none of them is."""
        await self._connection.execute(SQL["append_deliveries"], bodies, urgent or [False] * len(bodies))

    async def beat(self) -> None:
        """Notes this second as one in which the door was up."""
        await self._connection.execute(SQL["beat"])

    async def claim_deliveries(self, *, limit: int, most_bytes: int) -> list[Delivery]:
        """Locks the oldest unapplied bodies until the transaction ends, passing over those others hold."""
        return [_delivery(row) for row in await self._connection.fetch(SQL["claim_deliveries"], limit, most_bytes)]

    async def claim_failed_deliveries(self, *, limit: int, most_bytes: int) -> list[Delivery]:
        """Locks bodies that failed and are due again until the transaction ends, passing over those others hold."""
        rows = await self._connection.fetch(SQL["claim_failed_deliveries"], limit, most_bytes)
        return [_delivery(row) for row in rows]

    async def find_urgent_deliveries(self, *, after: UUID, limit: int) -> list[UUID]:
        """Returns the ids of the oldest unapplied bodies in which a person may say stop, of those after one."""
        return [row["id"] for row in await self._connection.fetch(SQL["find_urgent_deliveries"], after, limit)]

    async def claim_given_deliveries(self, delivery_ids: Sequence[UUID]) -> list[Delivery]:
        """Locks those of these bodies that are neither done nor held by someone else, oldest first."""
        rows = await self._connection.fetch(SQL["claim_given_deliveries"], delivery_ids)
        return [_delivery(row) for row in rows]

    async def mark_heard(self, delivery_ids: Sequence[UUID]) -> None:
        """Has claimed bodies wait their turn with all others: what people said in them is done."""
        await self._connection.execute(SQL["mark_heard"], delivery_ids)

    async def mark_applied(self, done: Mapping[UUID, Applied]) -> None:
        """Marks bodies as done, each with what became of it."""
        await self._connection.execute(
            SQL["mark_applied"],
            list(done),
            [item.error for item in done.values()],
            [dict(item.unknown) for item in done.values()],
            [None if item.traces is None else bigints(item.traces) for item in done.values()],
        )

    async def find_traced_deliveries(
        self, traces: Sequence[int], *, after: UUID, limit: int
    ) -> list[tuple[UUID, bytes]]:
        """Locks a page of bodies that tell of someone."""
        rows = await self._connection.fetch(SQL["find_traced_deliveries"], traces, after, limit)
        return [(row["id"], row["body"]) for row in rows]

    async def find_untraced_deliveries(self, *, after: UUID, limit: int) -> list[tuple[UUID, bytes]]:
        """Locks a page of bodies of which nobody knows whom they tell of."""
        rows = await self._connection.fetch(SQL["find_untraced_deliveries"], after, limit)
        return [(row["id"], row["body"]) for row in rows]

    async def redact_deliveries(self, bodies: Mapping[UUID, bytes | None], *, traces: Sequence[int] = ()) -> None:
        """Writes bodies without a person, None for as it is, and forgets that they told of them."""
        await self._connection.execute(SQL["redact_deliveries"], list(bodies), list(bodies.values()), list(traces))

    async def mark_failed(
        self, delivery_id: UUID, *, error: str, max_attempts: int, longest_pause: timedelta
    ) -> Delivery | None:
        """Counts one more failed try of a body; returns it when that was the last one, and nobody tries it again."""
        seconds = longest_pause.total_seconds()
        row = await self._connection.fetchrow(SQL["mark_failed"], delivery_id, error, max_attempts, seconds)
        return _delivery(row) if row and row["is_set_aside"] else None

    async def find_head(self) -> UUID | None:
        """Returns the body that waits first to be applied, else the parked receipt that is due first; None for none."""
        head: UUID | None = await self._connection.fetchval(SQL["find_head"])
        return head

    async def find_urgent_head(self) -> UUID | None:
        """Returns the body that waits first of those in which a person may say stop; None when none waits."""
        head: UUID | None = await self._connection.fetchval(SQL["find_urgent_head"])
        return head

    async def delete_old_deliveries(self, *, before: datetime, limit: int) -> int:
        """Forgets the applied ones received before a moment among the oldest bodies; returns how many."""
        done = await self._connection.execute(SQL["delete_old_deliveries"], before, limit)
        return int(done.rpartition(" ")[2])

    async def delete_old_heartbeats(self, *, before: datetime) -> None:
        """Forgets heartbeats before a moment."""
        await self._connection.execute(SQL["delete_old_heartbeats"], before)


def _delivery(row: Row) -> Delivery:
    return Delivery(id=row["id"], body=row["body"], receive_time=row["receive_time"], is_replay=row["is_replay"])
