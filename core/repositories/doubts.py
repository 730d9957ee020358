"""Messages whose outcome is not known, on one connection; the statements are in sql/queries/doubts.sql."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("doubts")

# The door beats each second; a beat that is this late is a silence.
SILENCE_SECONDS = 5.0
_OLDEST = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many messages a policy made PENDING again, and how many it gave up."""

    resent_count: int
    failed_count: int


@dataclass(slots=True, kw_only=True)
class Walk:
    """Where the next look at doubts begins: behind the last one, and after the newest at the oldest again.

    Many of which nothing is proven would else hold up those behind them until their deadline.
    """

    doubt_time: datetime = _OLDEST[0]
    message_id: UUID = _OLDEST[1]


class Doubts:
    """Judges messages in doubt: sent again on evidence only, until their deadline."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def is_door_heard(self, *, grace_seconds: float) -> bool:
        """Tells whether silence means something: the door was up for the whole grace, and nothing waits unread."""
        return bool(await self._connection.fetchval(SQL["is_door_heard"], grace_seconds, SILENCE_SECONDS))

    async def resend_on_evidence(
        self, *, grace_seconds: float, lease_seconds: float, limit: int, evidence: bool = True, walk: Walk | None = None
    ) -> int:
        """Makes PENDING again what others' receipts show was not accepted; returns how many. Moves `walk` on."""
        walk = walk or Walk()
        statement = SQL["resend_on_evidence"]
        row = await self._connection.fetchrow(
            statement, grace_seconds, lease_seconds, limit, evidence, walk.doubt_time, walk.message_id
        )
        is_full = row is not None and row["count"] == limit
        walk.doubt_time, walk.message_id = (row["doubt_time"], row["id"]) if row and is_full else _OLDEST
        return int(row["resent_count"]) if row else 0

    async def decide_doubts(self, *, deadline_seconds: float, limit: int) -> Decided:
        """Lets each campaign's policy decide over what has been in doubt too long."""
        rows = await self._connection.fetch(SQL["decide_doubts"], deadline_seconds, limit)
        failed = sum(row["state"] == "FAILED" for row in rows)
        return Decided(resent_count=len(rows) - failed, failed_count=failed)
