"""Reads and changes contacts on one connection; imports and erasure have repositories of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from core.db import Connection, Row
from core.domain.contacts import Contact, ContactDraft, MarketingConsent, WhatsappState
from core.domain.errors import AlreadyExists, NotFound
from core.queries import load

SQL = load("contacts")
# Looked up for each row of a page: calling an enum takes ten times as long.
_WHATSAPP_STATES: Final = {str(state): state for state in WhatsappState}
_CONSENTS: Final = {str(consent): consent for consent in MarketingConsent}
_COLUMNS: Final = len(Contact._fields)
_WHATSAPP_STATE: Final = Contact._fields.index("whatsapp_state")
_CONSENT: Final = Contact._fields.index("marketing_consent")
_CATEGORIES: Final = Contact._fields.index("categories")


class Contacts:
    """Reads contacts and changes what people may edit of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_contact(self, contact_id: UUID) -> Contact:
        """Reads one contact; refuses with ``CONTACT_NOT_FOUND``."""
        return _found(contact_id, await self._connection.fetchrow(SQL["get_contact"], contact_id))

    async def lock_contact(self, contact_id: UUID) -> Contact:
        """Reads one contact and keeps others from changing it until the transaction ends."""
        return _found(contact_id, await self._connection.fetchrow(SQL["lock_contact"], contact_id))

    async def get_contacts(self, contact_ids: Sequence[UUID]) -> list[Contact]:
        """Reads the contacts that exist, in id order."""
        return [read_contact(row) for row in await self._connection.fetch(SQL["get_contacts"], list(contact_ids))]

    async def create_contact(self, draft: ContactDraft, *, hashes: Sequence[bytes], at: datetime) -> Contact:
        """Creates a contact; an opt-out known by one of the hashes stays. Refuses with ``CONTACT_ALREADY_EXISTS``."""
        try:
            row = await self._connection.fetchrow(SQL["create_contact"], *_columns(draft), list(hashes), at)
        except asyncpg.UniqueViolationError as error:
            raise _exists(error) from None
        return read_contact(row)

    async def update_contact(self, contact_id: UUID, draft: ContactDraft, *, at: datetime) -> Contact:
        """Writes all that callers may set; refuses with ``CONTACT_NOT_FOUND`` or ``CONTACT_ALREADY_EXISTS``."""
        try:
            row = await self._connection.fetchrow(SQL["update_contact"], contact_id, *_columns(draft), at)
        except asyncpg.UniqueViolationError as error:
            raise _exists(error) from None
        return _found(contact_id, row)


def read_contact(row: Row | None) -> Contact:
    """Reads a contact from the columns that each statement on contacts returns first, in the order of its fields."""
    if row is None:
        raise LookupError("The statement returned no contact.")
    columns = [*row[:_COLUMNS]]
    columns[_WHATSAPP_STATE] = _WHATSAPP_STATES[columns[_WHATSAPP_STATE]]
    columns[_CONSENT] = _CONSENTS[columns[_CONSENT]]
    columns[_CATEGORIES] = tuple(columns[_CATEGORIES])
    return Contact._make(columns)


def refuse_unknown(contact_id: UUID) -> NotFound:
    """Returns the refusal of an id that no contact has."""
    return NotFound("CONTACT_NOT_FOUND", "There is no such contact.", contact=f"contacts/{contact_id}")


def _found(contact_id: UUID, row: Row | None) -> Contact:
    if row is None:
        raise refuse_unknown(contact_id)
    return read_contact(row)


def _exists(error: asyncpg.UniqueViolationError) -> AlreadyExists:
    field = "whatsapp_user_id" if error.constraint_name == "contacts_whatsapp_user_id_key" else "phone_number"
    return AlreadyExists("CONTACT_ALREADY_EXISTS", f"Another contact has this {field}.", field=field)


def _columns(draft: ContactDraft) -> tuple[object, ...]:
    return (
        draft.phone_number or None,
        draft.whatsapp_user_id or None,
        draft.display_name,
        draft.language_code,
        draft.time_zone,
        dict(draft.attributes),
    )
