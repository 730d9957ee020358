"""Contacts whose person is reached otherwise now, on one connection; statements in sql/queries/identities.sql."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.contacts import MarketingConsent
from core.domain.interactions import Person
from core.queries import load

SQL = load("identities")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Says what a contact chose about marketing, where and when."""

    consent: MarketingConsent
    source: str
    event_time: datetime


class Identities:
    """Moves contacts from number to number."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def move_contact(
        self, contact_id: UUID, *, before: Person, after: Person, at: datetime, told: datetime
    ) -> bool:
        """Gives a contact its new number and WhatsApp id, as far as they are known; false when it has them already."""
        row = await self._connection.fetchrow(
            SQL["move_contact"],
            contact_id,
            before.phone_number or None,
            before.whatsapp_user_id or None,
            after.phone_number or None,
            after.whatsapp_user_id or None,
            at,
            told,
        )
        return row is not None

    async def join_contact(self, contact_id: UUID, *, heir_id: UUID, at: datetime, told: datetime) -> bool:
        """Lets one contact stand in for another one, which is sent nothing any more; false when it does already."""
        if await self._connection.fetchrow(SQL["join_contact"], contact_id, heir_id, at, told) is None:
            return False
        await self.skip_messages(contact_id)
        return True

    async def skip_messages(self, contact_id: UUID) -> int:
        """Skips what is PENDING for a contact whose number is given up; returns how many messages."""
        return len(await self._connection.fetch(SQL["skip_messages"], contact_id))

    async def find_consent(self, contact_id: UUID) -> Chosen | None:
        """Returns what a contact chose about marketing, None when nothing."""
        row = await self._connection.fetchrow(SQL["find_consent"], contact_id)
        if row is None:
            return None
        consent = MarketingConsent(row["marketing_consent"])
        return Chosen(consent=consent, source=row["consent_source"], event_time=row["consent_time"])
