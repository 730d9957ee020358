"""Reads numbers on one connection: from counters, so in a few rows however many messages there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from core.db import Connection, Row
from core.domain.campaigns import CampaignState
from core.domain.messages import MessageState
from core.domain.stats import (
    DEPLOYMENT,
    CampaignLine,
    CampaignStats,
    Dashboard,
    MessageStats,
    Tally,
    count_failures,
    count_skips,
    count_states,
    is_final,
)
from core.domain.time_series import Bucket, Milestone, Span
from core.queries import load
from core.repositories.campaigns import read_campaign, refuse_unknown

SQL = load("stats")


class Stats:
    """Reads what was counted; every number is exact at the moment it is read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_campaign_stats(self, campaign_id: UUID, *, at: datetime) -> CampaignStats:
        """Reads the numbers of one campaign; refuses with ``CAMPAIGN_NOT_FOUND``."""
        (stats,) = await self.batch_get_campaign_stats([campaign_id], at=at)
        return stats

    async def batch_get_campaign_stats(self, campaign_ids: Sequence[UUID], *, at: datetime) -> list[CampaignStats]:
        """Reads the numbers of campaigns in the order asked; refuses with ``CAMPAIGN_NOT_FOUND`` if one is missing."""
        rows = await self._connection.fetch(SQL["batch_get_campaign_stats"], list(campaign_ids))
        found = {row["id"]: _campaign_stats(row, at=at) for row in rows}
        for campaign_id in campaign_ids:
            if campaign_id not in found:
                raise refuse_unknown(campaign_id)
        return [found[campaign_id] for campaign_id in campaign_ids]

    async def get_message_stats(self, *, at: datetime) -> MessageStats:
        """Reads the numbers of the whole deployment."""
        row = _only(await self._connection.fetchrow(SQL["get_message_stats"], DEPLOYMENT))
        tallies = _tallies(row["tallies"])
        return MessageStats(
            counts=count_states(tallies, replied_count=row["replied_count"]),
            failures=count_failures(tallies),
            double_count=row["double_count"],
            difference_count=row["difference_count"],
            snapshot_time=at,
        )

    async def get_dashboard(self, *, at: datetime) -> Dashboard:
        """Reads what a first screen shows, but for its campaigns."""
        first_minute = at - timedelta(hours=1)
        row = _only(await self._connection.fetchrow(SQL["get_dashboard"], DEPLOYMENT, first_minute))
        tallies = _tallies(row["tallies"])
        return Dashboard(
            counts=count_states(tallies, replied_count=row["replied_count"]),
            failures=count_failures(tallies),
            campaign_states={CampaignState(state): count for state, count in row["campaign_states"].items()},
            accepted_last_hour_count=row["accepted_last_hour_count"],
            snapshot_time=at,
        )

    async def list_campaign_lines(self, *, limit: int) -> list[CampaignLine]:
        """Lists the campaigns that run or are paused, then those that ended last."""
        return [_line(row) for row in await self._connection.fetch(SQL["list_campaign_lines"], limit)]

    async def count_series(self, scope_id: UUID, span: Span) -> Mapping[datetime, Mapping[Milestone, int]]:
        """Counts the messages of a campaign or the deployment that reached each milestone, by bucket."""
        read = self.list_minutes if span.bucket is Bucket.MINUTE else self.list_hours
        counted: dict[datetime, dict[Milestone, int]] = {}
        for row in await read(scope_id, start=span.start_time, end=span.end_time):
            counted.setdefault(row["start_time"], {})[Milestone(row["milestone"])] = row["count"]
        return counted

    async def list_minutes(self, scope_id: UUID, *, start: datetime, end: datetime) -> list[Row]:
        """Lists the counts of each milestone by minute."""
        return await self._connection.fetch(SQL["list_minutes"], scope_id, start, end)

    async def list_hours(self, scope_id: UUID, *, start: datetime, end: datetime) -> list[Row]:
        """Lists the counts of each milestone by hour."""
        return await self._connection.fetch(SQL["list_hours"], scope_id, start, end)

    async def fold_minutes(self, *, before: datetime, limit: int) -> int:
        """Moves old minutes' counters into their hours; returns how many hours were written."""
        done = await self._connection.execute(SQL["fold_minutes"], before, limit)
        return int(done.rpartition(" ")[2])


def _campaign_stats(row: Row, *, at: datetime) -> CampaignStats:
    tallies = _tallies(row["tallies"])
    counts = count_states(tallies, replied_count=row["replied_count"])
    return CampaignStats(
        campaign_id=row["id"],
        counts=counts,
        failures=count_failures(tallies),
        skips=count_skips(tallies),
        double_count=row["double_count"],
        final=is_final(CampaignState(row["state"]), counts, end_time=row["end_time"], at=at),
        snapshot_time=at,
    )


def _tallies(written: Sequence[Sequence[Any]]) -> list[Tally]:
    return [
        Tally(state=MessageState(state), error_code=code, reason=reason, count=count)
        for state, code, reason, count in written
    ]


def _line(row: Row) -> CampaignLine:
    values = dict(row)
    counts = count_states(_tallies(values.pop("tallies")), replied_count=values.pop("replied_count"))
    return CampaignLine(campaign=read_campaign(cast("Row", values)), counts=counts)


def _only(row: Row | None) -> Row:
    if row is None:
        raise LookupError("A statement without FROM returned no row.")
    return row
