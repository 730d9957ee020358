"""Reads what people did on one connection, page by page; what they do is written by inbound.

A list of a time begins at its end like a page behind another, and is cut at its start here: what is read of it is a
page, and its plan the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from core.db import Connection, Row
from core.domain.interaction_lists import InteractionFilter
from core.domain.interactions import Interaction, InteractionCounts, InteractionKind
from core.domain.time_ranges import NEWEST, OLDEST, TimeRange
from core.queries import load
from core.repositories.campaigns import refuse_unknown
from core.repositories.messages import refuse_unknown_message

SQL = load("interactions")
LATEST: Final = (datetime.max.replace(tzinfo=UTC), NEWEST)

# A moment and an id: where a list by time goes on.
Key = tuple[datetime, UUID]


class Interactions:
    """Reads replies, clicks and reactions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_interactions(
        self, selected: InteractionFilter, *, limit: int, before: UUID | None = None
    ) -> list[Interaction]:
        """Lists interactions that match, the last learned of first."""
        if selected.contact_id is not None:
            return await self.list_interactions_of_contact(selected, limit=limit, before=before)
        if selected.kind is not None:
            return await self.list_interactions_of_kind(selected, limit=limit, before=before)
        rows = await self._connection.fetch(SQL["list_interactions"], _learned(selected.time, before), limit)
        return _learned_since(rows, selected.time)

    async def list_interactions_of_kind(
        self, selected: InteractionFilter, *, limit: int, before: UUID | None = None
    ) -> list[Interaction]:
        """Lists interactions of one kind, the last learned of first."""
        end, statement = _learned(selected.time, before), SQL["list_interactions_of_kind"]
        rows = await self._connection.fetch(statement, end, limit, selected.kind)
        return _learned_since(rows, selected.time)

    async def list_interactions_of_contact(
        self, selected: InteractionFilter, *, limit: int, before: UUID | None = None
    ) -> list[Interaction]:
        """Lists interactions of one contact that match, the last learned of first."""
        end, statement = _learned(selected.time, before), SQL["list_interactions_of_contact"]
        rows = await self._connection.fetch(statement, end, limit, selected.contact_id, selected.kind)
        return _learned_since(rows, selected.time)

    async def list_campaign_interactions(
        self, campaign_id: UUID, selected: InteractionFilter, *, limit: int, before: Key | None = None
    ) -> list[Interaction]:
        """Lists answers to a campaign that match, the last done first; refuses with ``CAMPAIGN_NOT_FOUND``."""
        if selected.contact_id is not None:
            return await self.list_campaign_interactions_of_contact(campaign_id, selected, limit=limit, before=before)
        if selected.kind is not None:
            return await self.list_campaign_interactions_of_kind(campaign_id, selected, limit=limit, before=before)
        end, statement = _done(selected.time, before), SQL["list_campaign_interactions"]
        return _done_since(await self._of_campaign(statement, campaign_id, *end, limit), selected.time)

    async def list_campaign_interactions_of_kind(
        self, campaign_id: UUID, selected: InteractionFilter, *, limit: int, before: Key | None = None
    ) -> list[Interaction]:
        """Lists answers of one kind to a campaign, the last done first; refuses with ``CAMPAIGN_NOT_FOUND``."""
        end, statement = _done(selected.time, before), SQL["list_campaign_interactions_of_kind"]
        return _done_since(await self._of_campaign(statement, campaign_id, *end, limit, selected.kind), selected.time)

    async def list_campaign_interactions_of_contact(
        self, campaign_id: UUID, selected: InteractionFilter, *, limit: int, before: Key | None = None
    ) -> list[Interaction]:
        """Lists one contact's answers to a campaign, the last done first; refuses with ``CAMPAIGN_NOT_FOUND``."""
        end, statement = _done(selected.time, before), SQL["list_campaign_interactions_of_contact"]
        chosen = (selected.contact_id, selected.kind)
        return _done_since(await self._of_campaign(statement, campaign_id, *end, limit, *chosen), selected.time)

    async def list_message_interactions(
        self,
        campaign_id: UUID,
        message_id: UUID,
        selected: InteractionFilter,
        *,
        limit: int,
        before: Key | None = None,
    ) -> list[Interaction]:
        """Lists answers to a message that match, the last done first; refuses with ``MESSAGE_NOT_FOUND``."""
        chosen = (message_id, selected.contact_id, selected.kind)
        end, statement = _done(selected.time, before), SQL["list_message_interactions"]
        rows = await self._connection.fetch(statement, campaign_id, *end, limit, *chosen)
        if not rows:
            raise refuse_unknown_message(campaign_id, message_id)
        return _done_since(_interactions(rows), selected.time)

    async def count_interactions(self, campaign_id: UUID) -> InteractionCounts:
        """Counts the answers to a campaign; refuses with ``CAMPAIGN_NOT_FOUND``."""
        rows = await self._connection.fetch(SQL["count_interactions"], campaign_id)
        total = next((row for row in rows if row["is_total"]), None)
        if total is None:
            raise refuse_unknown(campaign_id)
        kinds = {InteractionKind(row["kind"]): row["interaction_count"] for row in rows if row["kind"] is not None}
        return InteractionCounts(
            kinds=kinds, interaction_count=total["interaction_count"], contact_count=total["contact_count"]
        )

    async def _of_campaign(self, statement: str, campaign_id: UUID, *arguments: object) -> list[Interaction]:
        rows = await self._connection.fetch(statement, campaign_id, *arguments)
        if not rows:
            raise refuse_unknown(campaign_id)
        return _interactions(rows)


def _learned(time: TimeRange, before: UUID | None) -> UUID:
    return min(time.end_id, before or NEWEST)


def _learned_since(rows: Sequence[Row], time: TimeRange) -> list[Interaction]:
    first_id = time.first_id
    return [_interaction(row) for row in rows if row["id"] >= first_id]


def _done(time: TimeRange, before: Key | None) -> Key:
    return min(LATEST if time.end is None else (time.end, OLDEST), before or LATEST)


def _done_since(done: list[Interaction], time: TimeRange) -> list[Interaction]:
    return done if time.start is None else [each for each in done if each.interaction_time >= time.start]


def _interactions(rows: Sequence[Row]) -> list[Interaction]:
    return [_interaction(row) for row in rows if row["id"] is not None]


def _interaction(row: Row) -> Interaction:
    changed = {"kind": InteractionKind(row["kind"]), "whatsapp_message_id": row["whatsapp_message_id"] or ""}
    return Interaction(**dict(row) | changed)
