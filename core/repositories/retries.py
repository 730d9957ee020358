"""Puts failed messages back to be sent again, on one connection; the statements are in sql/queries/retries.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.campaigns import Campaign
from core.domain.retries import RetryChoice
from core.queries import load
from core.repositories.campaigns import Campaigns, explain, read_campaign

SQL = load("retries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """What is left of a retry: failed messages with these codes (none: all that another try can help) behind an id."""

    id: UUID
    error_codes: tuple[int, ...]
    after_message_id: UUID


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

    async def take_turn(self, campaign_id: UUID) -> None:
        """Waits for others who give messages of the campaign another try, and keeps them waiting until the end."""
        await self._connection.execute(SQL["take_turn"], campaign_id)

    async def find_page(self, campaign_id: UUID, *, after: UUID, limit: int, chosen: RetryChoice) -> list[UUID]:
        """Returns the next failed messages behind an id that may be put back, in order; fewer than asked are the last.

        Locks nothing: of few among many this takes as long as all that failed take to be read.
        """
        rows = await self._connection.fetch(SQL["find_page"], campaign_id, after, *_columns(chosen), limit)
        return [row["id"] for row in rows]

    async def put_back(self, campaign_id: UUID, ids: Sequence[UUID], *, chosen: RetryChoice) -> int:
        """Puts failed messages that were found back to PENDING, where that still fits; returns how many."""
        values = (campaign_id, list(ids), *_columns(chosen))
        return len(await self._connection.fetch(SQL["put_back"], *values))

    async def count_retryable(self, campaign_id: UUID, *, after: UUID, chosen: RetryChoice) -> int:
        """Returns how many messages further pages would put back."""
        return int(await self._connection.fetchval(SQL["count_retryable"], campaign_id, after, *_columns(chosen)))

    async def count_may_arrive(self, campaign_id: UUID, *, after: UUID, chosen: RetryChoice) -> int:
        """Returns how many messages behind an id are left alone because an earlier attempt of them may arrive."""
        return int(await self._connection.fetchval(SQL["count_may_arrive"], campaign_id, after, *_columns(chosen)))

    async def count_resting(self, campaign_id: UUID, *, chosen: RetryChoice) -> int:
        """Returns how many messages are left alone because they failed too short a while ago."""
        codes, _, resting, since = _columns(chosen)
        return int(await self._connection.fetchval(SQL["count_resting"], campaign_id, codes, resting, since))

    async def keep_retry(self, campaign_id: UUID, *, after: UUID, error_codes: Sequence[int]) -> None:
        """Leaves the rest of a retry to the workers."""
        await self._connection.execute(SQL["keep_retry"], campaign_id, list(error_codes), after)

    async def list_unfinished_retries(self) -> tuple[UUID, ...]:
        """Returns the campaigns with a retry that is not over."""
        return tuple(row["campaign_id"] for row in await self._connection.fetch(SQL["list_unfinished_retries"]))

    async def take_retry(self, campaign_id: UUID) -> Retry | None:
        """Takes a retry until the transaction ends; None when there is none to take."""
        row = await self._connection.fetchrow(SQL["take_retry"], campaign_id)
        return None if row is None else Retry(**dict(row) | {"error_codes": tuple(row["error_codes"])})

    async def advance_retry(self, retry_id: UUID, *, after: UUID) -> None:
        """Notes how far a retry has come."""
        await self._connection.execute(SQL["advance_retry"], retry_id, after)

    async def finish_retry(self, retry_id: UUID) -> None:
        """Ends a retry."""
        await self._connection.execute(SQL["finish_retry"], retry_id)

    async def drop_retries(self, campaign_id: UUID) -> None:
        """Ends the retries of a campaign that was cancelled meanwhile."""
        await self._connection.execute(SQL["drop_retries"], campaign_id)


def _columns(chosen: RetryChoice) -> tuple[list[int], list[int], list[int], datetime]:
    return list(chosen.error_codes), list(chosen.hopeless), list(chosen.resting), chosen.rest_since
