"""People erased from a desk in a test: who they are, and what is kept of bodies that tell of them."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from core.domain.messages import MessageRef
from server.services.erasure import erase_person
from tests.helpers.receiving import KEY, Desk

ANN: Final = "+491700000001"
BOB: Final = "+491700000002"
NOW: Final = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BEFORE: Final = NOW - timedelta(hours=1)
AFTER: Final = NOW + timedelta(hours=1)


async def contact_of(at: Desk, number: str) -> UUID:
    """Returns the id of the contact with that number."""
    contact_id: UUID = await at.value("SELECT id FROM contacts WHERE phone_number = $1", number)
    return contact_id


async def erase(at: Desk, number: str = ANN) -> None:
    """Erases the contact with that number."""
    await erase_contact(at, await contact_of(at, number))


async def erase_contact(at: Desk, contact_id: UUID) -> None:
    """Erases a contact."""
    async with at.store.transaction() as rooms:
        await erase_person(rooms, contact_id, hash_key=KEY, at=NOW, lease_seconds=60)


async def message_of(at: Desk, number: str) -> MessageRef:
    """Puts all messages on their way; returns the one to that number."""
    refs = await at.sent()
    query = "SELECT messages.id FROM messages JOIN contacts ON contacts.id = contact_id WHERE phone_number = $1"
    message_id: UUID = await at.value(query, number)
    return next(ref for ref in refs if ref.message_id == message_id)


async def bodies(at: Desk) -> bytes:
    """Returns all bodies as they are kept, one after the other."""
    return b"\n".join(row["body"] for row in await at.plan.connection.fetch("SELECT body FROM webhook_deliveries"))
