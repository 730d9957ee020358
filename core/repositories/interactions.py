"""Reads what people did on one connection, page by page; what they do is written by inbound."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from core.db import Connection, Row
from core.domain.interaction_lists import InteractionFilter
from core.domain.interactions import Interaction, InteractionCounts, InteractionKind
from core.queries import load
from core.repositories.campaigns import refuse_unknown
from core.repositories.messages import NEWEST, refuse_unknown_message

SQL = load("interactions")
LATEST: Final = (datetime.max.replace(tzinfo=UTC), NEWEST)
_MARK: Final = "/* filters */"
_KINDS: Final = {kind: f"AND interactions.kind = '{kind}'" for kind in InteractionKind}

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
            return await self.list_interactions_of_contact(selected, selected.contact_id, limit=limit, before=before)
        statement = _filtered(SQL["list_interactions"], selected)
        return _interactions(await self._connection.fetch(statement, before or NEWEST, limit))

    async def list_interactions_of_contact(
        self, selected: InteractionFilter, contact_id: UUID, *, limit: int, before: UUID | None = None
    ) -> list[Interaction]:
        """Lists interactions of one contact that match, the last learned of first."""
        statement = _filtered(SQL["list_interactions_of_contact"], selected)
        return _interactions(await self._connection.fetch(statement, before or NEWEST, limit, contact_id))

    async def list_campaign_interactions(
        self, campaign_id: UUID, selected: InteractionFilter, *, limit: int, before: Key | None = None
    ) -> list[Interaction]:
        """Lists answers to a campaign that match, the last done first; refuses with ``CAMPAIGN_NOT_FOUND``."""
        statement = _filtered(SQL["list_campaign_interactions"], selected)
        rows = await self._connection.fetch(statement, campaign_id, *(before or LATEST), limit, selected.contact_id)
        if not rows:
            raise refuse_unknown(campaign_id)
        return _interactions(rows)

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
        statement = _filtered(SQL["list_message_interactions"], selected)
        rows = await self._connection.fetch(
            statement, campaign_id, *(before or LATEST), limit, selected.contact_id, message_id
        )
        if not rows:
            raise refuse_unknown_message(campaign_id, message_id)
        return _interactions(rows)

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


def _filtered(statement: str, selected: InteractionFilter) -> str:
    return statement.replace(_MARK, "" if selected.kind is None else _KINDS[selected.kind])


def _interactions(rows: Sequence[Row]) -> list[Interaction]:
    return [_interaction(row) for row in rows if row["id"] is not None]


def _interaction(row: Row) -> Interaction:
    changed = {"kind": InteractionKind(row["kind"]), "whatsapp_message_id": row["whatsapp_message_id"] or ""}
    return Interaction(**dict(row) | changed)
