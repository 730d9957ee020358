"""Moves campaigns from state to state on one connection: each statement names the states it may leave."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from core.db import Connection, Row
from core.domain.campaigns import Campaign, CampaignState, PauseSource, StartedCampaigns
from core.queries import load
from core.repositories.campaigns import Campaigns, explain, read_campaign

SQL = load("campaign_states")


class CampaignStates:
    """Starts, pauses, resumes, cancels and completes campaigns, and lists those with work to do."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start_campaign(self, campaign_id: UUID, *, at: datetime, revision: int | None = None) -> Campaign:
        """Lets it run; refuses with ``CAMPAIGN_NOT_STARTABLE`` or ``ETAG_MISMATCH``."""
        row = await self._connection.fetchrow(SQL["start_campaign"], campaign_id, at, revision)
        return await self._moved(campaign_id, row, verb="STARTABLE", revision=revision)

    async def schedule_campaign(
        self, campaign_id: UUID, *, at: datetime, schedule_time: datetime, revision: int | None = None
    ) -> Campaign:
        """Plans its start; refuses with ``CAMPAIGN_NOT_STARTABLE`` or ``ETAG_MISMATCH``."""
        row = await self._connection.fetchrow(SQL["schedule_campaign"], campaign_id, at, revision, schedule_time)
        return await self._moved(campaign_id, row, verb="STARTABLE", revision=revision)

    async def pause_campaign(
        self, campaign_id: UUID, *, at: datetime, source: PauseSource = PauseSource.USER, reason: str = ""
    ) -> Campaign:
        """Stops its sending until it is resumed; refuses with ``CAMPAIGN_NOT_PAUSABLE``."""
        row = await self._connection.fetchrow(SQL["pause_campaign"], campaign_id, at, source, reason)
        return await self._moved(campaign_id, row, verb="PAUSABLE")

    async def resume_campaign(self, campaign_id: UUID, *, at: datetime) -> Campaign:
        """Lets it run on, whatever paused it; refuses with ``CAMPAIGN_NOT_RESUMABLE``."""
        row = await self._connection.fetchrow(SQL["resume_campaign"], campaign_id, at)
        return await self._moved(campaign_id, row, verb="RESUMABLE")

    async def cancel_campaign(self, campaign_id: UUID, *, at: datetime) -> Campaign:
        """Stops it for good; refuses with ``CAMPAIGN_NOT_CANCELLABLE``."""
        row = await self._connection.fetchrow(SQL["cancel_campaign"], campaign_id, at)
        return await self._moved(campaign_id, row, verb="CANCELLABLE")

    async def start_due_campaigns(self, *, at: datetime) -> StartedCampaigns:
        """Starts all that are due; one whose template is no longer APPROVED fails."""
        rows = await self._connection.fetch(SQL["start_due_campaigns"], at)
        return StartedCampaigns(
            started=tuple(row["id"] for row in rows if row["state"] == CampaignState.RUNNING),
            failed=tuple(row["id"] for row in rows if row["state"] == CampaignState.FAILED),
        )

    async def complete_finished_campaigns(self, *, at: datetime) -> list[UUID]:
        """Completes all that have nothing left to send, settle or be released, within the caller's transaction."""
        locked = await self._lock_finished_campaigns(at)
        if not locked:
            return []
        return [row["id"] for row in await self._connection.fetch(SQL["complete_finished_campaigns"], at, locked)]

    async def _lock_finished_campaigns(self, at: datetime) -> list[UUID]:
        return [row["id"] for row in await self._connection.fetch(SQL["lock_finished_campaigns"], at)]

    async def list_final_campaigns(self, campaign_ids: Collection[UUID]) -> list[UUID]:
        """Returns those of the campaigns that are over."""
        return [row["id"] for row in await self._connection.fetch(SQL["list_final_campaigns"], list(campaign_ids))]

    async def reopen_unfinished_campaigns(self, *, at: datetime, completed_since: datetime) -> list[UUID]:
        """Lets run again what was completed and has messages to send all the same."""
        return [
            row["id"] for row in await self._connection.fetch(SQL["reopen_unfinished_campaigns"], at, completed_since)
        ]

    async def list_unexpanded_campaigns(self) -> list[UUID]:
        """Lists those whose audience is not wholly planned."""
        return [row["id"] for row in await self._connection.fetch(SQL["list_unexpanded_campaigns"])]

    async def list_unswept_campaigns(self) -> list[UUID]:
        """Lists cancelled campaigns that still have PENDING messages."""
        return [row["id"] for row in await self._connection.fetch(SQL["list_unswept_campaigns"])]

    async def cancel_messages_page(self, campaign_id: UUID, *, limit: int) -> int:
        """Cancels a page of a cancelled campaign's PENDING messages; returns how many: below ``limit`` on the last."""
        return len(await self._connection.fetch(SQL["cancel_messages_page"], campaign_id, limit))

    async def _moved(self, campaign_id: UUID, row: Row | None, *, verb: str, revision: int | None = None) -> Campaign:
        if row is None:
            raise explain(await Campaigns(self._connection).get_campaign(campaign_id), verb=verb, revision=revision)
        return read_campaign(row)
