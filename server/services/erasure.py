"""Erasing a person: out of every row, then out of every webhook body that is kept to be applied again."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.domain.contacts import person_hashes
from core.domain.interactions import Person
from core.domain.traces import identities, traces
from core.repositories.rooms import Rooms
from core.whatsapp.redaction import redact

_PAGE: Final = 100
# Whoever says stop meanwhile waits behind an erasure. Its turn mostly comes sooner, also under load.
_LONGEST_WAIT: Final = timedelta(milliseconds=500)

Bodies = list[tuple[UUID, bytes]]


async def erase_person(rooms: Rooms, contact_id: UUID, *, hash_key: bytes, at: datetime, lease_seconds: float) -> None:
    """Erases a contact; the transaction holds no row yet that others lock who apply webhooks.

    Refuses with ``CONTACT_BUSY`` while a message to the contact is on its way, for ``lease_seconds`` at most, and while
    others hold what tells of it. Bodies that came and were not applied yet are redacted when they are.
    """
    await rooms.transactions.bound_waits(_LONGEST_WAIT)
    async with rooms.erasure.turn(contact_id):
        await _erase(rooms, contact_id, hash_key=hash_key, at=at, lease_seconds=lease_seconds)


async def _erase(rooms: Rooms, contact_id: UUID, *, hash_key: bytes, at: datetime, lease_seconds: float) -> None:
    contact = await rooms.contacts.lock_contact(contact_id)
    person = Person(phone_number=contact.phone_number or "", whatsapp_user_id=contact.whatsapp_user_id or "")
    hashes = person_hashes(hash_key, contact.phone_number, contact.whatsapp_user_id)
    former = {word.removeprefix("+") for word in await rooms.erasure.find_former_identities(contact_id)}
    person_traces = traces(hash_key, {*identities(person, contact.id), *former})
    told = await rooms.erasure.erase(contact, hashes=hashes, traces=person_traces, at=at, lease_seconds=lease_seconds)
    told.update(identities(person), former)
    known = traces(hash_key, {*told, str(contact.id)})
    await rooms.erasure.remember_erasure(known, at=at)
    await _redact_traced(rooms, told, known)
    await _redact_untraced(rooms, told)


async def _redact_traced(rooms: Rooms, told: set[str], known: Sequence[int]) -> None:
    async def page(after: UUID) -> Bodies:
        return await rooms.deliveries.find_traced_deliveries(known, after=after, limit=_PAGE)

    async def write(bodies: Bodies) -> None:
        redacted = {delivery_id: redact(body, told) for delivery_id, body in bodies}
        await rooms.deliveries.redact_deliveries(redacted, traces=known)

    await _each_page(page, write)


async def _redact_untraced(rooms: Rooms, told: set[str]) -> None:
    """Looks into the few bodies of which nobody knows whom they tell of."""

    async def page(after: UUID) -> Bodies:
        return await rooms.deliveries.find_untraced_deliveries(after=after, limit=_PAGE)

    async def write(bodies: Bodies) -> None:
        found = {delivery_id: redact(body, told) for delivery_id, body in bodies}
        redacted = {delivery_id: body for delivery_id, body in found.items() if body is not None}
        if redacted:
            await rooms.deliveries.redact_deliveries(redacted)

    await _each_page(page, write)


async def _each_page(page: Callable[[UUID], Awaitable[Bodies]], write: Callable[[Bodies], Awaitable[None]]) -> None:
    after = UUID(int=0)
    while bodies := await page(after):
        await write(bodies)
        after = bodies[-1][0]
