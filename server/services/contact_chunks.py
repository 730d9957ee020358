"""Writes rows of contacts, however they came, in one transaction and a fixed number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core.db import TRANSACTION_CONFLICT
from core.domain.contacts import MarketingConsent, person_hashes
from core.domain.errors import Conflict
from core.domain.imports import ImportedRow, StagedRow, WrittenContacts
from core.domain.imports_merge import Merge
from core.repositories.rooms import Rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Says what became of a chunk: what was written, and which rows name two different contacts."""

    contacts: WrittenContacts = field(default_factory=WrittenContacts)
    conflicts: tuple[ImportedRow, ...] = ()
    category_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkWriter:
    """Writes chunks; everybody joins the categories given by id or by display name, the latter created when new."""

    hash_key: bytes
    category_ids: tuple[UUID, ...] = ()
    category_names: tuple[str, ...] = ()

    async def write(self, rooms: Rooms, rows: Sequence[ImportedRow], *, at: datetime) -> Written:
        """Makes rows contacts; of several rows of one person the first wins, and learns what only a later one says."""
        merge = Merge(await _known_users(rooms, rows))
        for row in rows:
            merge.add(row)
        return await self._write(rooms, merge.rows, merge.conflicts, at=at)

    async def _write(
        self, rooms: Rooms, rows: Sequence[ImportedRow], conflicting: Sequence[ImportedRow], *, at: datetime
    ) -> Written:
        by_name = await self._categories(rooms, rows, at=at)
        await rooms.contact_imports.stage([self._staged(position, row, by_name) for position, row in enumerate(rows)])
        taken, adopted = await _settle_user_ids(rooms, rows, at=at)
        written = await self._upsert(rooms, rows, at=at)
        if any(row.consent is not MarketingConsent.UNKNOWN for row in rows):
            await rooms.contact_imports.add_import_consent_events([*written.created, *written.updated], at=at)
        category_ids = frozenset((*self.category_ids, *by_name.values()))
        if category_ids:
            written |= WrittenContacts(updated=await _join(rooms, rows))
        conflicts = (*conflicting, *(rows[position] for position in sorted(taken)))
        return Written(
            contacts=written | WrittenContacts(updated=adopted), conflicts=conflicts, category_ids=category_ids
        )

    async def _upsert(self, rooms: Rooms, rows: Sequence[ImportedRow], *, at: datetime) -> WrittenContacts:
        written = await rooms.contact_imports.upsert_by_phone_number(at=at)
        if any(row.phone_number is None for row in rows):
            written |= await rooms.contact_imports.upsert_by_user_id(at=at)
        if any(row.is_repeat for row in rows):
            await rooms.contact_imports.fill_from_repeats(at=at)
        return written

    async def _categories(self, rooms: Rooms, rows: Sequence[ImportedRow], *, at: datetime) -> Mapping[str, UUID]:
        names = sorted({name for row in rows for name in row.categories} | set(self.category_names))
        if not names:
            return {}
        await rooms.categories.create_missing_categories(names, at=at)
        by_name = await rooms.categories.find_categories_by_display_name(names)
        if len(by_name) < len(names):
            raise Conflict(TRANSACTION_CONFLICT, "A category was deleted just now; try again.")
        return by_name

    def _staged(self, position: int, row: ImportedRow, by_name: Mapping[str, UUID]) -> StagedRow:
        return StagedRow(
            position=position,
            row=row,
            person_hashes=person_hashes(self.hash_key, row.phone_number, row.whatsapp_user_id),
            category_ids=(
                *self.category_ids,
                *(by_name[name] for name in (*self.category_names, *row.categories)),
            ),
        )


async def _join(rooms: Rooms, rows: Sequence[ImportedRow]) -> frozenset[UUID]:
    """Puts contacts in their categories; returns those who joined one, without those of repeated rows."""
    joined = await rooms.contact_imports.add_staged_memberships()
    if not any(row.is_repeat for row in rows):
        return joined
    by_position = await rooms.contact_imports.find_staged_contacts()
    return joined - {by_position[at] for at, row in enumerate(rows) if row.is_repeat and at in by_position}


async def _settle_user_ids(
    rooms: Rooms, rows: Sequence[ImportedRow], *, at: datetime
) -> tuple[frozenset[int], frozenset[UUID]]:
    """Rows with WhatsApp's id may mean a contact by either key; returns conflicts and contacts that got a number."""
    if not any(row.whatsapp_user_id for row in rows):
        return frozenset(), frozenset()
    conflicts = await rooms.contact_imports.take_import_conflicts()
    adopted = await rooms.contact_imports.adopt_import_numbers(at=at)
    return frozenset(conflicts), frozenset(adopted)


async def _known_users(rooms: Rooms, rows: Sequence[ImportedRow]) -> dict[str, str]:
    """Returns who has each of WhatsApp's ids: a phone number, or the id itself where no number is on record."""
    user_ids = sorted({row.whatsapp_user_id for row in rows if row.whatsapp_user_id})
    if not user_ids:
        return {}
    numbers = await rooms.contact_imports.find_user_numbers(user_ids)
    return {user_id: number or user_id for user_id, number in numbers.items()}
