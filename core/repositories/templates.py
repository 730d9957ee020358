"""Reads templates and brings them up to date with what WhatsApp lists, on one connection."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from core.db import Connection, Row
from core.domain.errors import NotFound
from core.domain.template_parts import parse_components
from core.domain.templates import (
    DoubtedTemplates,
    ListedTemplate,
    SyncCounts,
    Template,
    TemplateCategory,
    TemplateFilter,
    TemplateState,
)
from core.domain.time_ranges import OLDEST
from core.queries import load

SQL = load("templates")


class Templates:
    """Keeps the templates of our accounts as last synced."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_template(self, template_id: UUID) -> Template:
        """Reads one template; refuses with ``TEMPLATE_NOT_FOUND``."""
        row = await self._connection.fetchrow(SQL["get_template"], template_id)
        if row is None:
            raise NotFound("TEMPLATE_NOT_FOUND", "There is no such template.", template=f"templates/{template_id}")
        return _template(row)

    async def list_templates(self, chosen: TemplateFilter, *, limit: int, after: UUID | None = None) -> list[Template]:
        """Lists templates, oldest first, newer than ``after``."""
        rows = await self._connection.fetch(
            SQL["list_templates"],
            after or OLDEST,
            limit,
            chosen.state,
            chosen.template_name,
            chosen.language_code,
            chosen.whatsapp_account_id,
            chosen.template_category,
        )
        return [_template(row) for row in rows]

    async def list_doubted_templates(self, *, codes: Sequence[int]) -> list[DoubtedTemplates]:
        """Lists, by account, approved templates that WhatsApp has refused with one of these codes since their sync."""
        rows = await self._connection.fetch(SQL["list_doubted_templates"], list(codes))
        return [DoubtedTemplates(**dict(row)) for row in rows]

    async def lock_templates(self, whatsapp_account_id: str) -> None:
        """Locks an account's templates in their order until the transaction ends."""
        await self._connection.execute(SQL["lock_templates"], whatsapp_account_id)

    async def list_outdated_accounts(self) -> list[UUID]:
        """Returns a sender of each account of whose templates other texts were announced."""
        return [row["id"] for row in await self._connection.fetch(SQL["list_outdated_accounts"])]

    async def sync_templates(
        self, whatsapp_account_id: str, listed: Sequence[ListedTemplate], *, at: datetime
    ) -> SyncCounts:
        """Makes an account hold exactly what WhatsApp listed at a moment; what is gone there becomes DELETED.

        What changed since that moment stays: it was announced after the list.
        """
        await self.lock_templates(whatsapp_account_id)
        rows = [asdict(template) for template in listed]
        counts = await self._connection.fetchrow(SQL["sync_templates"], whatsapp_account_id, rows, at)
        return SyncCounts(**dict(counts or {}))


def _template(row: Row) -> Template:
    return Template(
        **dict(row)
        | {
            "template_category": TemplateCategory(row["template_category"]),
            "state": TemplateState(row["state"]),
            "components": parse_components(row["components"]),
        }
    )
