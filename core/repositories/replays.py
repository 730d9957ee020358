"""Webhook bodies to be applied once more, and what was not understood; statements in sql/queries/replays.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("replays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Selects applied bodies by when they came, by id (none given: all), and by whether something was wrong."""

    since: datetime
    until: datetime
    ids: tuple[UUID, ...] = ()
    only_strange: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StrangeKind:
    """Says how often something was not understood, and where it was last."""

    kind: str
    count: int
    last_time: datetime
    last_id: UUID


class Replays:
    """Gives bodies back to the workers on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def count_replayable(self, selection: Selection) -> tuple[int, int]:
        """Returns how many bodies match, and how many bytes they are."""
        row = await self._connection.fetchrow(SQL["count_replayable"], *_arguments(selection))
        return (0, 0) if row is None else (row["delivery_count"], row["byte_count"])

    async def replay_deliveries(self, selection: Selection, *, at: datetime, after: UUID, limit: int) -> Sequence[UUID]:
        """Gives a page of bodies back and returns their ids; none when there are no more."""
        arguments = (*_arguments(selection), at, after, limit)
        return sorted(row["id"] for row in await self._connection.fetch(SQL["replay_deliveries"], *arguments))

    async def count_waiting_replays(self, at: datetime) -> int:
        """Returns how many of the bodies given back at a moment are not applied yet."""
        return int(await self._connection.fetchval(SQL["count_waiting_replays"], at))

    async def count_failed_replays(self, at: datetime) -> int:
        """Returns how many of the bodies given back at a moment could not be applied."""
        return int(await self._connection.fetchval(SQL["count_failed_replays"], at))

    async def list_strange_kinds(self, *, since: datetime, limit: int) -> list[StrangeKind]:
        """Returns what was not understood, the most frequent first."""
        rows = await self._connection.fetch(SQL["list_strange_kinds"], since, limit)
        return [
            StrangeKind(kind=row["kind"], count=row["count"], last_time=row["last_time"], last_id=row["last_id"])
            for row in rows
        ]


def _arguments(selection: Selection) -> tuple[object, ...]:
    return selection.since, selection.until, list(selection.ids) or None, selection.only_strange
