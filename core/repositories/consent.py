"""Keeps the proof of consents and what follows from them, on one connection."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.contacts import ConsentRecord, MarketingConsent
from core.queries import load

SQL = load("consent")


class Consent:
    """Keeps who agreed to marketing and who refused it, with proof."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def record(self, records: Sequence[ConsentRecord], *, at: datetime) -> list[UUID]:
        """Keeps consents with their proof and all that follows; returns the contacts whose record was written.

        An older consent than the one on record is kept as proof but changes nothing. An opt-out skips what is PENDING
        of marketing.
        """
        await self.add_consent_events(records)
        changed = await self.apply_consents(records, at=at)
        refused = {event.contact_id for event in records if event.consent is MarketingConsent.OPTED_OUT}
        opted_out = sorted(contact_id for contact_id in changed if contact_id in refused)
        if opted_out:
            await self.skip_marketing_messages(opted_out)
        return changed

    async def honour_kept_opt_outs(self, asked: Sequence[tuple[UUID, bytes]], *, at: datetime) -> list[UUID]:
        """Opts out contacts who had said no when they were known otherwise, given with a hash of theirs.

        Returns the contacts whose record was written.
        """
        kept = await self.find_kept_opt_outs(asked)
        return await self.record(kept, at=at) if kept else []

    async def find_kept_opt_outs(self, asked: Sequence[tuple[UUID, bytes]]) -> list[ConsentRecord]:
        """Returns the opt-outs under these hashes that are not on record of these contacts yet."""
        rows = await self._connection.fetch(SQL["find_kept_opt_outs"], *map(list, zip(*asked, strict=True)))
        return [
            ConsentRecord(
                contact_id=row["id"],
                person_hash=row["person_hash"],
                consent=MarketingConsent.OPTED_OUT,
                source=row["source"],
                event_time=row["event_time"],
            )
            for row in rows
        ]

    async def add_consent_events(self, records: Sequence[ConsentRecord]) -> None:
        """Keeps proof of consents."""
        await self._connection.execute(
            SQL["add_consent_events"],
            [event.contact_id for event in records],
            [event.person_hash for event in records],
            [event.consent for event in records],
            [event.source for event in records],
            [event.evidence for event in records],
            [event.event_time for event in records],
        )

    async def apply_consents(self, records: Sequence[ConsentRecord], *, at: datetime) -> list[UUID]:
        """Writes the newest consent of each contact; returns the contacts whose record was written."""
        rows = await self._connection.fetch(
            SQL["apply_consents"],
            [event.contact_id for event in records],
            [event.consent for event in records],
            [event.source for event in records],
            [event.event_time for event in records],
            at,
        )
        return [row["id"] for row in rows]

    async def skip_marketing_messages(self, contact_ids: Sequence[UUID]) -> int:
        """Skips what is PENDING of marketing for contacts who opted out; returns how many messages."""
        return len(await self._connection.fetch(SQL["skip_marketing_messages"], list(contact_ids)))
