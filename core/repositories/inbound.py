"""What people and WhatsApp tell, on its way into rows: contacts, interactions, service windows, templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Connection, Row
from core.domain.interactions import NewInteraction, Person
from core.queries import load

SQL = load("inbound")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Holds a contact as it is known: its id, what identifies the person, and whether it is known to be on WhatsApp."""

    id: UUID
    phone_number: str | None = field(repr=False)
    whatsapp_user_id: str | None = field(repr=False)
    is_reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMove:
    """Holds what WhatsApp decided about one template."""

    whatsapp_template_id: str
    state: str
    reason: str
    event_time: datetime


class Inbound:
    """Keeps what comes in on one connection; each method is one statement, whatever the number of people."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_senders(self, phone_number_ids: Sequence[str]) -> dict[str, UUID]:
        """Finds our senders by WhatsApp's ids of their numbers."""
        rows = await self._connection.fetch(SQL["find_senders"], phone_number_ids)
        return {row["phone_number_id"]: row["id"] for row in rows}

    async def find_people(self, people: Sequence[Person]) -> dict[Person, Known]:
        """Finds the contacts of these people, by number before id; who is no contact is left out."""
        found = await self.find_matches([(person, None) for person in people])
        return {person: matches[0] for person, matches in zip(people, found, strict=True) if matches}

    async def find_matches(self, asked: Sequence[tuple[Person, UUID | None]]) -> list[list[Known]]:
        """Finds every contact that each person is, given with the contact whose message they answer, if any.

        Whoever is no contact gets an empty list.
        """
        rows = await self._connection.fetch(
            SQL["find_matches"],
            [person.phone_number or None for person, _ in asked],
            [person.whatsapp_user_id or None for person, _ in asked],
            [contact_id for _, contact_id in asked],
        )
        found: list[dict[UUID, Known]] = [{} for _ in asked]
        for row in rows:
            found[row["position"] - 1].setdefault(row["id"], _known(row))
        return [list(each.values()) for each in found]

    async def add_people(self, people: Sequence[tuple[Person, bytes | None, bytes | None]]) -> None:
        """Makes contacts of people, each with the hashes of phone number and WhatsApp's id."""
        await self._connection.execute(
            SQL["add_people"],
            [person.phone_number or None for person, _, _ in people],
            [person.whatsapp_user_id or None for person, _, _ in people],
            [person.display_name for person, _, _ in people],
            [phone_hash for _, phone_hash, _ in people],
            [user_hash for _, _, user_hash in people],
        )

    async def learn_user_ids(self, user_ids: dict[UUID, str]) -> None:
        """Notes WhatsApp's ids of contacts that had none."""
        await self._connection.execute(SQL["learn_user_ids"], list(user_ids), list(user_ids.values()))

    async def learn_told_user_ids(self, user_ids: Mapping[UUID, str]) -> None:
        """Notes WhatsApp's ids of contacts that had none, as receipts tell them; waits for nobody who holds one."""
        await self._connection.execute(SQL["learn_told_user_ids"], list(user_ids), list(user_ids.values()))

    async def find_recent_messages(
        self, asked: Sequence[tuple[UUID, UUID, datetime]], *, window: timedelta
    ) -> dict[int, tuple[UUID, UUID]]:
        """Finds the latest message before each (contact, sender, moment), as position → (campaign, message)."""
        columns = map(list, zip(*asked, strict=True))
        rows = await self._connection.fetch(SQL["find_recent_messages"], *columns, window.total_seconds())
        return {row["position"] - 1: (row["campaign_id"], row["id"]) for row in rows}

    async def find_kept(self, whatsapp_message_ids: Sequence[str]) -> set[str]:
        """Returns which of these, by WhatsApp's ids, are kept as interactions."""
        rows = await self._connection.fetch(SQL["find_kept"], whatsapp_message_ids)
        return {row["whatsapp_message_id"] for row in rows}

    async def add_interactions(self, interactions: Sequence[NewInteraction]) -> set[str]:
        """Keeps interactions; returns the WhatsApp ids of those that had not come before."""
        columns = [
            (
                item.whatsapp_message_id, item.sender_id, item.contact_id, item.campaign_id, item.message_id, item.kind,
                item.text, dict(item.payload), item.interaction_time,
            )
            for item in interactions
        ]  # fmt: skip
        rows = await self._connection.fetch(SQL["add_interactions"], *map(list, zip(*columns, strict=True)))
        return {row["whatsapp_message_id"] for row in rows}

    async def open_windows(self, windows: Sequence[tuple[UUID, UUID, datetime]]) -> None:
        """Opens or extends service windows, given as (contact, sender, until when)."""
        await self._connection.execute(SQL["open_windows"], *map(list, zip(*windows, strict=True)))

    async def find_told_consents(self, told: Sequence[tuple[bytes, str, datetime]]) -> set[int]:
        """Returns the positions of those (person hash, consent, moment) that are on record already."""
        rows = await self._connection.fetch(SQL["find_told_consents"], *map(list, zip(*told, strict=True)))
        return {row["position"] - 1 for row in rows}

    async def find_identities(self, contact_ids: Sequence[UUID]) -> list[Known]:
        """Returns what identifies these contacts to WhatsApp."""
        return [_known(row) for row in await self._connection.fetch(SQL["find_identities"], contact_ids)]

    async def lock_told_templates(self, whatsapp_template_ids: Sequence[str]) -> None:
        """Locks templates in their order until the transaction ends: several statements may change some of them."""
        await self._connection.execute(SQL["lock_told_templates"], whatsapp_template_ids)

    async def move_templates(self, moves: Sequence[TemplateMove]) -> None:
        """Notes what WhatsApp decided about templates."""
        await self._connection.execute(
            SQL["move_templates"],
            [move.whatsapp_template_id for move in moves],
            [move.state for move in moves],
            [move.reason for move in moves],
            [move.event_time for move in moves],
        )

    async def keep_announcements(
        self, told: Sequence[tuple[str, str, bool, datetime, datetime | None]]
    ) -> set[tuple[str, str]]:
        """Keeps the last thing announced, as (account, digits, whether it blocks, when, until); returns whose is news.

        Without digits it is of the account itself, else of its number with them; nobody's comes twice.
        """
        rows = await self._connection.fetch(SQL["keep_announcements"], *map(list, zip(*told, strict=True)))
        return {(row["whatsapp_account_id"], row["digits"]) for row in rows}

    async def recategorise_templates(self, told: Mapping[str, tuple[str, datetime]]) -> None:
        """Notes in which category WhatsApp put templates, by its id of each, and when."""
        categories = [category for category, _ in told.values()]
        moments = [moment for _, moment in told.values()]
        await self._connection.execute(SQL["recategorise_templates"], list(told), categories, moments)

    async def requalify_templates(self, told: Mapping[str, tuple[str, datetime]]) -> None:
        """Notes the quality of templates, by WhatsApp's id of each, and when it was told."""
        qualities = [quality for quality, _ in told.values()]
        moments = [moment for _, moment in told.values()]
        await self._connection.execute(SQL["requalify_templates"], list(told), qualities, moments)

    async def outdate_templates(self, whatsapp_template_ids: Sequence[str], *, at: datetime) -> None:
        """Notes that templates have other texts, by WhatsApp's ids of them; the keeper has them synced."""
        await self._connection.execute(SQL["outdate_templates"], whatsapp_template_ids, at)


def _known(row: Row) -> Known:
    return Known(
        id=row["id"],
        phone_number=row["phone_number"],
        whatsapp_user_id=row["whatsapp_user_id"],
        is_reached=row["is_reached"],
    )
