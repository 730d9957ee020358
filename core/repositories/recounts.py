"""Compares counters with rows on one connection; the statements are in sql/queries/recounts.sql."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from uuid import UUID

from core.db import Connection, Row
from core.domain.recounts import (
    Difference,
    MilestoneDifference,
    ReplyDifference,
    StateDifference,
    Tally,
    differences,
)
from core.domain.stats import DEPLOYMENT
from core.domain.time_ranges import NEWEST, OLDEST
from core.queries import load

SQL = load("recounts")

_OPEN_SECONDS = 3600.0
_OVER_SECONDS = 7 * 86400.0
# So many messages are counted in well under a second.
_SLICE = 50_000
_FIRST = UUID(int=1)  # a campaign's counters come after those of the deployment


def _tell_nobody(_count: int) -> None:
    """Hears how far a comparison is where nobody waits for it."""


class Recounts:
    """Finds where counters differ from rows, and adds what is missing when it is told to."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def take_next_scope(self) -> UUID | None:
        """Takes the campaign, or the deployment, that is due to be compared; None when none is."""
        found = await self._connection.fetchval(SQL["take_next_scope"], DEPLOYMENT, _OPEN_SECONDS, _OVER_SECONDS)
        return UUID(str(found)) if found else None

    async def list_scopes(self, *, after: UUID, limit: int) -> list[UUID]:
        """Lists campaigns that have counters, in order."""
        return [row["scope_id"] for row in await self._connection.fetch(SQL["list_scopes"], after, limit)]

    async def find_differences(
        self, scope_id: UUID, *, slice_size: int = _SLICE, tell: Callable[[int], None] = _tell_nobody
    ) -> list[Difference]:
        """Compares all counters of a campaign, or of the deployment; empty when they are right.

        In a snapshot: its statements, none of which takes long, must see the same moment. `tell` hears of each slice
        how many messages it had.
        """
        if scope_id == DEPLOYMENT:
            return differences(
                await self._read_counters(DEPLOYMENT, DEPLOYMENT), await self._read_counters(_FIRST, NEWEST)
            )
        found = Tally()
        async for after, last in self._slices(scope_id, slice_size):
            tell(await self._count_slice(found, scope_id, after, last))
        return differences(await self._read_counters(scope_id, scope_id), found)

    async def _slices(self, campaign_id: UUID, size: int) -> AsyncIterator[tuple[UUID, UUID]]:
        """Yields ranges of message ids, after the one and up to the other, that together hold all there are."""
        after = OLDEST
        while (last := await self.find_slice_end(campaign_id, after, size)) is not None:
            yield after, last
            after = last
        yield after, NEWEST

    async def _count_slice(self, tally: Tally, campaign_id: UUID, after: UUID, last: UUID) -> int:
        states = await self.count_states(campaign_id, after, last)
        tally.states.update(states)
        tally.milestones.update(await self.count_milestones(campaign_id, after, last))
        tally.answered += await self.count_answered(campaign_id, after, last)
        return states.total()

    async def _read_counters(self, first: UUID, last: UUID) -> Tally:
        return Tally(
            states=await self.read_state_counters(first, last),
            milestones=await self.read_milestone_counters(first, last),
            answered=await self.read_reply_counters(first, last),
        )

    async def read_state_counters(self, first: UUID, last: UUID) -> Counter[tuple[str, int, str]]:
        """Adds up the counters of these scopes by state, error code and reason."""
        return _by_state(await self._connection.fetch(SQL["read_state_counters"], first, last))

    async def read_milestone_counters(self, first: UUID, last: UUID) -> Counter[tuple[str, datetime]]:
        """Adds up the counters of these scopes by milestone and hour."""
        return _by_milestone(await self._connection.fetch(SQL["read_milestone_counters"], first, last))

    async def read_reply_counters(self, first: UUID, last: UUID) -> int:
        """Adds up the counters of these scopes of messages that were answered."""
        return int(await self._connection.fetchval(SQL["read_reply_counters"], first, last))

    async def find_slice_end(self, campaign_id: UUID, after: UUID, size: int) -> UUID | None:
        """Finds the message so many after another one; None when there are not so many."""
        found = await self._connection.fetchval(SQL["find_slice_end"], campaign_id, after, size)
        return UUID(str(found)) if found else None

    async def count_states(self, campaign_id: UUID, after: UUID, last: UUID) -> Counter[tuple[str, int, str]]:
        """Counts a slice's messages by state, error code and reason."""
        return _by_state(await self._connection.fetch(SQL["count_states"], campaign_id, after, last))

    async def count_milestones(self, campaign_id: UUID, after: UUID, last: UUID) -> Counter[tuple[str, datetime]]:
        """Counts a slice's messages by milestone and hour."""
        return _by_milestone(await self._connection.fetch(SQL["count_milestones"], campaign_id, after, last))

    async def count_answered(self, campaign_id: UUID, after: UUID, last: UUID) -> int:
        """Counts a slice's messages that were answered."""
        return int(await self._connection.fetchval(SQL["count_answered"], campaign_id, after, last))

    async def note_recount(self, scope_id: UUID, *, difference_count: int) -> None:
        """Notes what came of a comparison."""
        await self._connection.execute(SQL["note_recount"], scope_id, difference_count)

    async def repair(self, scope_id: UUID, found: Sequence[Difference]) -> None:
        """Adds what is missing to the counters of a scope, in a transaction that locked the repair before the look."""
        await self.add_to_counters(scope_id, [item for item in found if isinstance(item, StateDifference)])
        await self.add_to_hours(scope_id, [item for item in found if isinstance(item, MilestoneDifference)])
        for difference in found:
            if isinstance(difference, ReplyDifference):
                await self.add_to_replies(scope_id, difference)
        await self.note_recount(scope_id, difference_count=0)

    async def lock_repair(self, scope_id: UUID) -> None:
        """Waits for another repair of the scope, which would add the same."""
        await self._connection.execute(SQL["lock_repair"], str(scope_id))

    async def add_to_counters(self, scope_id: UUID, differences: Sequence[StateDifference]) -> None:
        """Adds what is missing by state."""
        await self._connection.execute(
            SQL["add_to_counters"],
            scope_id,
            [item.state for item in differences],
            [item.error_code for item in differences],
            [item.reason for item in differences],
            [item.missing for item in differences],
        )

    async def add_to_hours(self, scope_id: UUID, differences: Sequence[MilestoneDifference]) -> None:
        """Adds what is missing by milestone and hour."""
        await self._connection.execute(
            SQL["add_to_hours"],
            scope_id,
            [item.milestone for item in differences],
            [item.hour for item in differences],
            [item.missing for item in differences],
        )

    async def add_to_replies(self, scope_id: UUID, difference: ReplyDifference) -> None:
        """Adds what is missing of answered messages."""
        await self._connection.execute(SQL["add_to_replies"], scope_id, difference.missing)


def _by_state(rows: Sequence[Row]) -> Counter[tuple[str, int, str]]:
    return Counter({(row["state"], row["error_code"], row["reason"]): row["count"] for row in rows})


def _by_milestone(rows: Sequence[Row]) -> Counter[tuple[str, datetime]]:
    return Counter({(row["milestone"], row["hour"]): row["count"] for row in rows})
