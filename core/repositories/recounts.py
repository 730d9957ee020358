"""Compares counters with rows on one connection; the statements are in sql/queries/recounts.sql."""

from collections.abc import Sequence
from uuid import UUID

from core.db import Connection
from core.domain.recounts import Difference, MilestoneDifference, ReplyDifference, StateDifference, total
from core.domain.stats import DEPLOYMENT
from core.queries import load

SQL = load("recounts")

_OPEN_SECONDS = 3600.0
_OVER_SECONDS = 7 * 86400.0


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

    async def compare(self, scope_id: UUID) -> list[Difference]:
        """Finds the differences of a campaign, or of the deployment, and notes how much they come to."""
        differences = await self.find_differences(scope_id)
        await self.note_recount(scope_id, difference_count=total(differences))
        return differences

    async def find_differences(self, scope_id: UUID) -> list[Difference]:
        """Compares all counters of a campaign, or of the deployment; empty when they are right."""
        return [
            *await self.find_state_differences(scope_id),
            *await self.find_milestone_differences(scope_id),
            *await self.find_reply_differences(scope_id),
        ]

    async def find_state_differences(self, scope_id: UUID) -> list[StateDifference]:
        """Compares counts by state, error and reason."""
        return [StateDifference(**row) for row in await self._connection.fetch(SQL["find_state_differences"], scope_id)]

    async def find_milestone_differences(self, scope_id: UUID) -> list[MilestoneDifference]:
        """Compares counts by milestone and hour."""
        rows = await self._connection.fetch(SQL["find_milestone_differences"], scope_id)
        return [MilestoneDifference(**row) for row in rows]

    async def find_reply_differences(self, scope_id: UUID) -> list[ReplyDifference]:
        """Compares the number of messages answered."""
        return [ReplyDifference(**row) for row in await self._connection.fetch(SQL["find_reply_differences"], scope_id)]

    async def note_recount(self, scope_id: UUID, *, difference_count: int) -> None:
        """Notes what came of a comparison."""
        await self._connection.execute(SQL["note_recount"], scope_id, difference_count)

    async def repair(self, scope_id: UUID) -> list[Difference]:
        """Adds what is missing to the counters of a scope, within the caller's transaction; returns what differed."""
        await self.lock_repair(scope_id)
        differences = await self.find_differences(scope_id)
        states = [item for item in differences if isinstance(item, StateDifference)]
        await self.add_to_counters(scope_id, states)
        await self.add_to_hours(scope_id, [item for item in differences if isinstance(item, MilestoneDifference)])
        for difference in differences:
            if isinstance(difference, ReplyDifference):
                await self.add_to_replies(scope_id, difference)
        await self.note_recount(scope_id, difference_count=0)
        return differences

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
