"""A contact that was there throughout is on exactly one page, whatever is written between pages, under any filters."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db import WALKS_INDEXES, Connection, Database
from core.domain.contact_lists import order_of
from core.domain.contacts import Contact, ContactFilter, MarketingConsent, WhatsappState
from core.repositories.rooms import Rooms

_ADD = """
    INSERT INTO contacts (phone_number, display_name, whatsapp_state, marketing_consent)
    SELECT number, name, state, consent
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS input (number, name, state, consent)
    ON CONFLICT DO NOTHING RETURNING id"""
_JOIN = "INSERT INTO category_contacts (category_id, contact_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING"
NAMES = ("ann", "Ann", "ANN 2", "Ben", "Änne", "")

people = st.lists(
    st.tuples(
        st.integers(0, 60).map(lambda n: f"+{4 + n % 2}9{1_000_000 + n}"),
        st.sampled_from(NAMES),
        st.sampled_from([str(state) for state in WhatsappState]),
        st.sampled_from([str(consent) for consent in MarketingConsent]),
        st.booleans(),
    ),
    max_size=40,
    unique_by=lambda person: person[0],
)
changes = st.lists(st.tuples(people, st.lists(st.integers(0, 100), max_size=4)), min_size=1, max_size=4)
filters = st.builds(
    lambda in_category, state, consent, phone, name: (
        in_category,
        ContactFilter(
            whatsapp_state=state, marketing_consent=consent, phone_number_prefix=phone, display_name_prefix=name
        ),
    ),
    st.booleans(),
    st.none() | st.sampled_from(list(WhatsappState)),
    st.none() | st.sampled_from(list(MarketingConsent)),
    st.sampled_from(["", "+4", "+59100000"]),
    st.sampled_from(["", "a", "ANN", "ä"]),
)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(url=database_url, pool_size=1, planner=WALKS_INDEXES) as opened:
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=people, between=changes, chosen=filters, size=st.integers(1, 7))
async def test_whoever_stays_is_shown_once_and_in_order(
    database: Database,
    first: list[tuple[str, str, str, str, bool]],
    between: list[tuple[list[tuple[str, str, str, str, bool]], list[int]]],
    chosen: tuple[bool, ContactFilter],
    size: int,
) -> None:
    async with _scene(database) as scene:
        await scene.add(first)
        selected = scene.selecting(*chosen)
        staying = {contact.id for contact in await scene.matching(selected)}
        seen: list[Contact] = []
        after, waiting, is_last = None, list(between), False
        while not is_last:
            page = await scene.rooms.contact_lists.read_page(selected, size=size, after=after)
            assert len(page.contacts) <= size
            seen.extend(page.contacts)
            after, is_last = page.next_key, page.next_key is None
            if waiting:
                added, removed = waiting.pop()
                await scene.add(added)
                staying -= await scene.remove(removed)
        ids = [contact.id for contact in seen]
        assert len(ids) == len(set(ids))
        assert staying <= set(ids)
        assert all(_fits(contact, selected) for contact in seen)
        assert seen == sorted(seen, key=lambda contact: _key(contact, selected))


class _Scene:
    """A handful of contacts in a transaction that is rolled back."""

    def __init__(self, connection: Connection, category_id: UUID) -> None:
        self._connection = connection
        self._category_id = category_id
        self.rooms = Rooms(connection)

    def selecting(self, in_category: bool, selected: ContactFilter) -> ContactFilter:
        values = {name: getattr(selected, name) for name in ContactFilter.__slots__}
        return ContactFilter(**values | {"category_id": self._category_id if in_category else None})

    async def add(self, added: Iterable[tuple[str, str, str, str, bool]]) -> None:
        columns = list(zip(*added, strict=True)) or [()] * 5
        rows = await self._connection.fetch(_ADD, *map(list, columns[:4]))
        members = [row["id"] for row, is_member in zip(rows, columns[4], strict=False) if is_member]
        await self._connection.execute(_JOIN, self._category_id, members)

    async def remove(self, positions: list[int]) -> set[UUID]:
        ids = [row["id"] for row in await self._connection.fetch("SELECT id FROM contacts ORDER BY id")]
        gone = [ids[position % len(ids)] for position in positions if ids]
        await self._connection.execute("DELETE FROM contacts WHERE id = ANY ($1::uuid[])", gone)
        return set(gone)

    async def matching(self, selected: ContactFilter) -> list[Contact]:
        ids = [row["id"] for row in await self._connection.fetch("SELECT id FROM contacts")]
        found = await self.rooms.contacts.get_contacts(ids)
        return [contact for contact in found if _fits(contact, selected)]


@asynccontextmanager
async def _scene(database: Database) -> AsyncIterator[_Scene]:
    async with database.connection() as connection:
        await connection.execute("BEGIN")
        try:
            category_id = await connection.fetchval(
                "INSERT INTO categories (display_name) VALUES ('Some') RETURNING id"
            )
            yield _Scene(connection, category_id)
        finally:
            await connection.execute("ROLLBACK")


def _fits(contact: Contact, selected: ContactFilter) -> bool:
    return (
        selected.category_id in (None, *contact.categories)
        and selected.whatsapp_state in (None, contact.whatsapp_state)
        and selected.marketing_consent in (None, contact.marketing_consent)
        and (contact.phone_number or "").startswith(selected.phone_number_prefix)
        and contact.display_name.lower().startswith(selected.display_name_prefix.lower())
    )


def _key(contact: Contact, selected: ContactFilter) -> tuple[object, ...]:
    match order_of(selected):
        case "PHONE_NUMBER":
            return (contact.phone_number,)
        case "DISPLAY_NAME":
            return contact.display_name.lower().encode(), contact.id
        case _:
            return (contact.id,)
