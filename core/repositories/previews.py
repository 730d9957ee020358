"""Reads what a start of a campaign would do, on one connection; as many statements for any audience."""

from uuid import UUID

from core.db import Connection
from core.domain.campaigns import AudienceCounts
from core.queries import load

SQL = load("previews")
_CANDIDATES_PER_SAMPLE = 50


class Previews:
    """Counts a campaign's audience as its expansion would, and shows some of it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def has_audience(self, campaign_id: UUID) -> bool:
        """Tells whether the audience holds anybody, exclusions aside."""
        return bool(await self._connection.fetchval(SQL["has_audience"], campaign_id))

    async def count_audience(self, campaign_id: UUID) -> AudienceCounts:
        """Counts whom a start would reach and whom it would skip, by reason, most first."""
        rows = await self._connection.fetch(SQL["count_audience"], campaign_id)
        return AudienceCounts(
            audience_count=sum(row["contact_count"] for row in rows),
            skips=tuple((row["skip_reason"], row["contact_count"]) for row in rows if row["skip_reason"]),
        )

    async def count_missing_values(self, campaign_id: UUID) -> dict[int, int]:
        """Counts the contacts without a value, by the position of the binding from 0."""
        rows = await self._connection.fetch(SQL["count_missing_values"], campaign_id)
        return {row["position"]: row["contact_count"] for row in rows}

    async def list_samples(self, campaign_id: UUID, *, limit: int) -> list[tuple[UUID, list[str]]]:
        """Lists contacts that would be sent, with the values of the bindings in their order."""
        candidates = limit * _CANDIDATES_PER_SAMPLE
        rows = await self._connection.fetch(SQL["list_samples"], campaign_id, limit, candidates)
        return [(row["contact_id"], row["parameters"]) for row in rows]
