"""Messages whose outcome is not known, on one connection; the statements are in sql/queries/doubts.sql."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from core.db import Connection, Row
from core.queries import load

SQL = load("doubts")

# The door beats each second; a beat that is this late is a silence.
SILENCE_SECONDS = 5.0
# A sender, and when it claimed messages.
_Claim = tuple[UUID, datetime]
_OLDEST = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """How many messages were made PENDING again, how many a policy gave up, and how many nobody wants any more."""

    resent_count: int = 0
    failed_count: int = 0
    cancelled_count: int = 0


@dataclass(slots=True, kw_only=True)
class Walk:
    """Where the next look at doubts begins: behind the last one, and after the newest at the oldest again.

    Many of which nothing is proven would else hold up those behind them until their deadline.
    """

    doubt_time: datetime = _OLDEST[0]
    message_id: UUID = _OLDEST[1]

    def move(self, doubts: Sequence[Row], *, limit: int) -> None:
        """Goes behind what was looked at; fewer than the limit were the last ones."""
        is_full = len(doubts) == limit
        self.doubt_time, self.message_id = (doubts[-1]["doubt_time"], doubts[-1]["id"]) if is_full else _OLDEST


class Doubts:
    """Judges messages in doubt: sent again on evidence only, until their deadline."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def is_door_heard(self, *, grace_seconds: float) -> bool:
        """Tells whether silence means something: the door was up for the whole grace, and nothing waits unread."""
        return bool(await self._connection.fetchval(SQL["is_door_heard"], grace_seconds, SILENCE_SECONDS))

    async def resend_on_evidence(
        self, *, grace_seconds: float, lease_seconds: float, limit: int, evidence: bool = True, walk: Walk | None = None
    ) -> Decided:
        """Makes PENDING again what others' receipts show was not accepted, CANCELLED in a cancelled campaign.

        Moves `walk` on. Needs a transaction.
        """
        walk = walk or Walk()
        doubts = await self._lock_doubts(grace_seconds, lease_seconds, limit, walk)
        walk.move(doubts, limit=limit)
        claims = {_claim(row) for row in doubts}
        if evidence:
            claims = await self._list_heard_claims(claims)
            claims = await self._list_passed_claims(claims, lease_seconds)
        return await self._resend_doubts([row for row in doubts if _claim(row) in claims])

    async def _lock_doubts(self, grace_seconds: float, lease_seconds: float, limit: int, walk: Walk) -> list[Row]:
        # What came in the last seconds may not be applied yet: the whole grace must lie before them.
        asked = (grace_seconds + SILENCE_SECONDS, lease_seconds, limit, walk.doubt_time, walk.message_id)
        return await self._connection.fetch(SQL["lock_doubts"], *asked)

    async def _list_heard_claims(self, claims: Set[_Claim]) -> set[_Claim]:
        return await self._among(claims, SQL["list_heard_claims"])

    async def _list_passed_claims(self, claims: Set[_Claim], lease_seconds: float) -> set[_Claim]:
        return await self._among(claims, SQL["list_passed_claims"], lease_seconds)

    async def _among(self, claims: Set[_Claim], statement: str, *arguments: object) -> set[_Claim]:
        """Returns those of the claims for which the statement has a row; without any it is not asked."""
        if not claims:
            return set()
        senders, times = zip(*claims, strict=True)
        return {_claim(row) for row in await self._connection.fetch(statement, senders, times, *arguments)}

    async def _resend_doubts(self, proven: Sequence[Row]) -> Decided:
        if not proven:
            return Decided()
        campaigns, ids = [row["campaign_id"] for row in proven], [row["id"] for row in proven]
        rows = await self._connection.fetch(SQL["resend_doubts"], campaigns, ids)
        cancelled = sum(row["state"] == "CANCELLED" for row in rows)
        return Decided(resent_count=len(rows) - cancelled, cancelled_count=cancelled)

    async def decide_doubts(self, *, deadline_seconds: float, limit: int) -> Decided:
        """Lets each campaign's policy decide over what has been in doubt too long; all told until then is applied."""
        rows = await self._connection.fetch(SQL["decide_doubts"], deadline_seconds, limit)
        failed = sum(row["state"] == "FAILED" for row in rows)
        return Decided(resent_count=len(rows) - failed, failed_count=failed)


def _claim(row: Row) -> _Claim:
    return row["sender_id"], row["claim_time"]
