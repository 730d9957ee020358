"""Whom stored webhooks tell of, as keyed hashes: enough to find a person's, too little to know anyone by."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.domain.contacts import person_hash
from core.domain.interactions import Person

_BYTES: Final = 8

# WhatsApp repeats a webhook for seven days; after that nothing of before an erasure can still come.
ERASURES_KEPT: Final = timedelta(days=8)


def trace(key: bytes, identity: str) -> int:
    """Returns a keyed hash of 64 bits, signed; `identity` is digits without +, a WhatsApp id, or a contact's id."""
    return int.from_bytes(person_hash(key, identity)[:_BYTES], signed=True)


def traces(key: bytes, identities: Iterable[str]) -> list[int]:
    """Returns the hash of each identity once, in a fixed order."""
    return sorted({trace(key, identity) for identity in identities if identity})


def identities(person: Person, contact_id: UUID | None = None) -> list[str]:
    """Returns all that a person is known by: digits, WhatsApp's id, the contact."""
    known = (person.phone_number.removeprefix("+"), person.whatsapp_user_id, str(contact_id or ""))
    return [identity for identity in known if identity]
