"""Writes chunks of an import set by set, on one connection inside one transaction a chunk."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from core.db import TRANSACTION_CONFLICT, Connection, Row
from core.domain.errors import Conflict
from core.domain.imports import StagedRow, WrittenContacts
from core.queries import load

SQL = load("contact_imports")
_COLUMNS = (
    "position", "phone_number", "whatsapp_user_id", "display_name", "language_code", "time_zone", "attributes",
    "consent", "person_hashes", "category_ids", "is_repeat",
)  # fmt: skip


class ContactImports:
    """Stages rows and makes them contacts; the methods are used in the order in which they stand."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def stage(self, rows: Sequence[StagedRow]) -> None:
        """Puts the rows of a chunk in the stage, by COPY."""
        await self.prepare_import_stage()
        await self._connection.copy_records_to_table(
            "import_stage", records=[_record(row) for row in rows], columns=_COLUMNS
        )

    async def prepare_import_stage(self) -> None:
        """Makes the table in which a chunk waits, once a session."""
        await self._connection.execute(SQL["prepare_import_stage"])

    async def find_user_numbers(self, user_ids: Sequence[str]) -> dict[str, str | None]:
        """Returns the phone number on record, or None, for each of WhatsApp's ids that a contact has."""
        rows = await self._connection.fetch(SQL["find_user_numbers"], list(user_ids))
        return {row["whatsapp_user_id"]: row["phone_number"] for row in rows}

    async def take_import_conflicts(self) -> list[int]:
        """Takes out rows whose number and WhatsApp id belong to two contacts; returns their positions."""
        return [row["position"] for row in await self._connection.fetch(SQL["take_import_conflicts"])]

    async def adopt_import_numbers(self, *, at: datetime) -> list[UUID]:
        """Gives contacts known by WhatsApp id alone the number that a row knows; returns them."""
        return _ids(await self._connection.fetch(SQL["adopt_import_numbers"], at))

    async def upsert_by_phone_number(self, *, at: datetime) -> WrittenContacts:
        """Creates or changes the contacts of rows with a phone number; an equal one is not written."""
        return await self._upsert(SQL["upsert_by_phone_number"], at)

    async def upsert_by_user_id(self, *, at: datetime) -> WrittenContacts:
        """Creates or changes the contacts of rows with a WhatsApp id alone; an equal one is not written."""
        return await self._upsert(SQL["upsert_by_user_id"], at)

    async def fill_from_repeats(self, *, at: datetime) -> list[UUID]:
        """Adds what repeated rows know and their contacts lack; returns the contacts changed."""
        return _ids(await self._connection.fetch(SQL["fill_from_repeats"], at))

    async def find_staged_contacts(self) -> dict[int, UUID]:
        """Returns the contact of each staged row, by position."""
        rows = await self._connection.fetch(SQL["find_staged_contacts"])
        return {row["position"]: row["id"] for row in rows}

    async def add_staged_memberships(self) -> frozenset[UUID]:
        """Puts the staged contacts in their rows' categories; returns those who joined one."""
        try:
            rows = await self._connection.fetch(SQL["add_staged_memberships"])
        except asyncpg.ForeignKeyViolationError:
            raise Conflict(TRANSACTION_CONFLICT, "A category was deleted just now; try again.") from None
        return frozenset(row["contact_id"] for row in rows)

    async def add_import_consent_events(self, contact_ids: Sequence[UUID], *, at: datetime) -> list[UUID]:
        """Keeps proof of the consents that were just written for contacts; returns whose."""
        rows = await self._connection.fetch(SQL["add_import_consent_events"], at, list(contact_ids))
        return [row["contact_id"] for row in rows]

    async def _upsert(self, statement: str, at: datetime) -> WrittenContacts:
        try:
            rows = await self._connection.fetch(statement, at)
        except asyncpg.UniqueViolationError:
            # Somebody else made a contact with the other key between our look and our write.
            raise Conflict(TRANSACTION_CONFLICT, "Another change got in the way; try again.") from None
        return WrittenContacts(
            created=frozenset(row["id"] for row in rows if row["is_created"]),
            updated=frozenset(row["id"] for row in rows if not row["is_created"]),
        )


def _ids(rows: Sequence[Row]) -> list[UUID]:
    return [row["id"] for row in rows]


def _record(row: StagedRow) -> tuple[object, ...]:
    person = row.row
    return (
        row.position,
        person.phone_number,
        person.whatsapp_user_id,
        person.display_name,
        person.language_code,
        person.time_zone,
        orjson.dumps(dict(person.attributes)).decode(),
        person.consent,
        row.person_hashes,
        row.category_ids,
        person.is_repeat,
    )
