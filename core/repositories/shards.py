"""Folds the counters of campaigns that are over, on one connection; the statements are in sql/queries/shards.sql."""

from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("shards")


class Shards:
    """Makes one row of the shards that writers left, campaign by campaign in the order of their ids."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fold_state_counters(self, *, after: UUID, limit: int) -> UUID | None:
        """Folds what is counted by state for so many campaigns; returns the last, None when there were none."""
        last: UUID | None = await self._connection.fetchval(SQL["fold_state_counters"], after, limit)
        return last

    async def fold_reply_counters(self, *, after: UUID, limit: int) -> UUID | None:
        """Folds how many messages were answered for so many campaigns; returns the last, None when there were none."""
        last: UUID | None = await self._connection.fetchval(SQL["fold_reply_counters"], after, limit)
        return last
