"""Every combination of filters looks at a bounded number of contacts, and all pages together are what matches."""

import itertools
import re
from collections.abc import AsyncIterator, Iterator
from typing import cast
from uuid import UUID

import asyncpg
import pytest

from core.db import WALKS_INDEXES, Connection, Database
from core.domain.contact_lists import MOST_WALKED
from core.domain.contacts import ContactFilter, MarketingConsent, WhatsappState
from core.queries import load
from core.repositories.contact_lists import ContactLists
from tests.helpers.plans import Explaining
from tests.helpers.servers import Databases
from tests.helpers.volumes import Knowledge, fill_volume

CONSENTS = (None, MarketingConsent.UNKNOWN, MarketingConsent.OPTED_OUT)
STATES = (None, WhatsappState.VERIFIED)
PHONES = ("", "+331")
NAMES = ("", "ann")
# The largest category and a small one.
CATEGORIES = (0, 6)


@pytest.fixture(scope="module", params=[Knowledge.NONE, Knowledge.STALE, Knowledge.FRESH])
def empty_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[tuple[str, Knowledge]]:
    with databases.copy() as url:
        yield url, request.param


@pytest.fixture(scope="module")
async def filled_url(empty_url: tuple[str, Knowledge]) -> str:
    url, knowledge = empty_url
    await fill_volume(url, knowledge)
    return url


@pytest.fixture(params=["auto", "force_generic_plan"])
async def connection(filled_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    planner = {**WALKS_INDEXES, "plan_cache_mode": request.param}
    async with (
        Database(url=filled_url, pool_size=1, planner=planner) as database,
        database.connection() as connection,
    ):
        yield connection


def test_every_statement_stops_where_the_choice_of_an_entry_supposes() -> None:
    named = [number for text in load("contact_lists").values() for number in re.findall(r"\b\d{2,}\b", text)]
    assert set(named) == {str(MOST_WALKED)}


async def test_a_page_under_any_filters_looks_at_a_bounded_number_of_contacts(connection: Connection) -> None:
    explaining = Explaining(connection)
    lists = ContactLists(cast("Connection", explaining))
    for selected in await _combinations(connection):
        explaining.plans.clear()
        await lists.read_page(selected, size=50)
        rows = sum(plan.rows_read() for plan in explaining.plans)
        # Measuring, walking and probing: each at most as many as a page may be walked for.
        assert rows <= 5 * MOST_WALKED, selected
        assert not any(plan.scanned_whole() & {"contacts", "category_contacts"} for plan in explaining.plans), selected


async def test_all_pages_together_are_what_matches(connection: Connection) -> None:
    lists = ContactLists(connection)
    everyone = await _everyone(connection)
    for selected in (await _combinations(connection))[::7]:
        assert await _walk(lists, selected) == sum(_fits(contact, selected) for contact in everyone), selected


async def test_an_import_finds_its_contacts_by_their_keys(filled_url: str) -> None:
    connection = await asyncpg.connect(filled_url)
    try:
        await connection.execute(load("contact_imports")["prepare_import_stage"])
        found = await connection.fetchval("EXPLAIN (FORMAT JSON) " + load("contact_imports")["add_staged_memberships"])
    finally:
        await connection.close()
    assert "contacts_phone_number_" in found
    assert '"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "contacts"' not in found


async def _combinations(connection: Connection) -> list[ContactFilter]:
    rows = await connection.fetch("SELECT id FROM categories ORDER BY id")
    categories = (None, *(rows[position]["id"] for position in CATEGORIES))
    return [
        ContactFilter(
            category_id=category, marketing_consent=consent, whatsapp_state=state, phone_number_prefix=phone,
            display_name_prefix=name,
        )
        for category, consent, state, phone, name in itertools.product(categories, CONSENTS, STATES, PHONES, NAMES)
    ]  # fmt: skip


async def _everyone(connection: Connection) -> list[dict[str, object]]:
    statement = """
        SELECT marketing_consent, whatsapp_state, phone_number, lower(display_name) AS name,
            ARRAY(SELECT category_id FROM category_contacts WHERE contact_id = contacts.id) AS categories
        FROM contacts"""
    return [dict(row) for row in await connection.fetch(statement)]


async def _walk(lists: ContactLists, selected: ContactFilter) -> int:
    """Reads all pages and returns how many contacts they hold, none of them twice."""
    seen: list[UUID] = []
    page = await lists.read_page(selected, size=1000)
    seen.extend(contact.id for contact in page.contacts)
    while page.next_key is not None:
        page = await lists.read_page(selected, size=1000, after=page.next_key)
        seen.extend(contact.id for contact in page.contacts)
    assert len(seen) == len(set(seen))
    return len(seen)


def _fits(contact: dict[str, object], selected: ContactFilter) -> bool:
    return (
        selected.category_id in (None, *cast("list[UUID]", contact["categories"]))
        and selected.marketing_consent in (None, contact["marketing_consent"])
        and selected.whatsapp_state in (None, contact["whatsapp_state"])
        and str(contact["phone_number"]).startswith(selected.phone_number_prefix)
        and str(contact["name"]).startswith(selected.display_name_prefix)
    )
