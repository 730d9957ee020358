"""Reads and changes categories and who is in them, on one connection."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from core.db import Connection, Row
from core.domain.categories import Category
from core.domain.errors import AlreadyExists, NotFound
from core.domain.time_ranges import OLDEST
from core.queries import load

SQL = load("categories")


class Categories:
    """Reads and changes categories and who is in them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_category(self, category_id: UUID) -> Category:
        """Reads one category; refuses with ``CATEGORY_NOT_FOUND``."""
        return _found(category_id, await self._connection.fetchrow(SQL["get_category"], category_id))

    async def list_categories(self, *, limit: int, after: UUID | None = None) -> list[Category]:
        """Lists categories, oldest first, created after ``after``."""
        rows = await self._connection.fetch(SQL["list_categories"], after or OLDEST, limit)
        return [read_category(row) for row in rows]

    async def create_category(self, display_name: str, *, description: str, at: datetime) -> Category:
        """Creates a category; refuses with ``CATEGORY_ALREADY_EXISTS``."""
        try:
            row = await self._connection.fetchrow(SQL["create_category"], display_name, description, at)
        except asyncpg.UniqueViolationError:
            raise _exists() from None
        return read_category(row)

    async def update_category(
        self, category_id: UUID, *, display_name: str | None, description: str | None, at: datetime
    ) -> Category:
        """Changes what is not None; refuses with ``CATEGORY_NOT_FOUND`` or ``CATEGORY_ALREADY_EXISTS``."""
        try:
            row = await self._connection.fetchrow(SQL["update_category"], category_id, display_name, description, at)
        except asyncpg.UniqueViolationError:
            raise _exists() from None
        return _found(category_id, row)

    async def delete_category(self, category_id: UUID) -> None:
        """Deletes a category, its contacts stay; refuses with ``CATEGORY_NOT_FOUND``."""
        if await self._connection.fetchval(SQL["delete_category"], category_id) is None:
            raise refuse_unknown(category_id)

    async def find_category_campaign(self, category_id: UUID) -> UUID | None:
        """Finds a campaign that is not over and has the category in its audience."""
        campaign_id: UUID | None = await self._connection.fetchval(SQL["find_category_campaign"], category_id)
        return campaign_id

    async def find_missing_contacts(self, contact_ids: Sequence[UUID]) -> list[UUID]:
        """Returns the ids that no contact has."""
        return await self._ids(SQL["find_missing_contacts"], list(contact_ids))

    async def find_missing_categories(self, category_ids: Sequence[UUID]) -> list[UUID]:
        """Returns the ids that no category has."""
        return await self._ids(SQL["find_missing_categories"], list(category_ids))

    async def add_category_contacts(self, category_id: UUID, contact_ids: Sequence[UUID]) -> int:
        """Puts contacts in a category; returns how many were not in it. All have to exist."""
        return len(await self._connection.fetch(SQL["add_category_contacts"], category_id, list(contact_ids)))

    async def remove_category_contacts(self, category_id: UUID, contact_ids: Sequence[UUID]) -> int:
        """Takes contacts out of a category; returns how many were in it."""
        return len(await self._connection.fetch(SQL["remove_category_contacts"], category_id, list(contact_ids)))

    async def create_missing_categories(self, display_names: Iterable[str], *, at: datetime) -> int:
        """Creates a category for each name that none has, in any case; returns how many."""
        return len(await self._connection.fetch(SQL["create_missing_categories"], list(display_names), at))

    async def find_categories_by_display_name(self, display_names: Iterable[str]) -> dict[str, UUID]:
        """Returns the category of each name as asked, in any case; a name that none has is left out."""
        rows = await self._connection.fetch(SQL["find_categories_by_display_name"], list(display_names))
        return {row["display_name"]: row["id"] for row in rows}

    async def _ids(self, statement: str, asked: list[UUID]) -> list[UUID]:
        return [row["id"] for row in await self._connection.fetch(statement, asked)]


def read_category(row: Row | None) -> Category:
    """Reads a category from the columns that every statement on categories returns."""
    if row is None:
        raise LookupError("The statement returned no category.")
    return Category(**dict(row))


def refuse_unknown(category_id: UUID) -> NotFound:
    """Returns the refusal of an id that no category has."""
    return NotFound("CATEGORY_NOT_FOUND", "There is no such category.", category=f"categories/{category_id}")


def _found(category_id: UUID, row: Row | None) -> Category:
    if row is None:
        raise refuse_unknown(category_id)
    return read_category(row)


def _exists() -> AlreadyExists:
    return AlreadyExists(
        "CATEGORY_ALREADY_EXISTS", "A category with this display_name exists, perhaps in another case."
    )
