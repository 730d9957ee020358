"""Puts failed messages back to be sent again, on one connection; the statements are in sql/queries/retries.sql."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.campaigns import Campaign
from core.queries import load
from core.repositories.campaigns import Campaigns, explain, read_campaign

SQL = load("retries")


class Retries:
    """Gives failed messages another try."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def reopen_campaign(self, campaign_id: UUID, *, at: datetime) -> Campaign:
        """Lets a campaign send again, a completed one too; refuses with ``CAMPAIGN_NOT_RETRYABLE``."""
        row = await self._connection.fetchrow(SQL["reopen_campaign"], campaign_id, at)
        if row is None:
            raise explain(await Campaigns(self._connection).get_campaign(campaign_id), verb="RETRYABLE")
        return read_campaign(row)

    async def retry_failed_page(
        self, campaign_id: UUID, *, after: UUID, limit: int, error_codes: Sequence[int], hopeless: Sequence[int]
    ) -> list[UUID]:
        """Puts the next failed messages behind an id back to PENDING; returns them, in order: few are the last."""
        rows = await self._connection.fetch(
            SQL["retry_failed_page"], campaign_id, after, limit, list(error_codes), list(hopeless)
        )
        return sorted(row["id"] for row in rows)
