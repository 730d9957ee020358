"""The indexes that reads of contacts stand on are used, and a page is one statement whatever its size."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from chappe.v1 import categories_pb2, contacts_service_pb2

from core.clock import SystemClock
from core.domain.contacts import ContactFilter, MarketingConsent, WhatsappState
from core.queries import load
from core.repositories.filters import filter_contacts
from core.repositories.rooms import Store
from core.settings import Settings
from server.mutations import Mutations
from server.services.categories import CategoriesService
from server.services.contacts import ContactsService
from tests.helpers.servers import Databases
from tests.helpers.statements import CountingDatabase

CONTACTS = """
INSERT INTO contacts (phone_number, display_name, whatsapp_state, marketing_consent)
SELECT '+336' || (10000000 + n), 'Name ' || n,
    CASE WHEN n % 500 = 0 THEN 'ABSENT' WHEN n % 3 = 0 THEN 'VERIFIED' ELSE 'UNKNOWN' END,
    CASE WHEN n % 400 = 0 THEN 'OPTED_OUT' ELSE 'UNKNOWN' END
FROM generate_series(1, 30000) AS n
"""
MEMBERS = """
INSERT INTO category_contacts (category_id, contact_id)
SELECT categories.id, contacts.id FROM categories JOIN contacts ON hashtext(contacts.id::text) % 20 = 0
"""
ANY_CATEGORY = UUID(int=1)


@pytest.fixture(scope="module", params=["loaded", "analysed"])
def filled_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    with databases.copy() as url:
        database = url.rpartition("/")[2].partition("?")[0]
        for statement in (
            "ALTER TABLE contacts SET (autovacuum_enabled = off)",
            CONTACTS,
            "INSERT INTO categories (display_name) SELECT 'C ' || n FROM generate_series(1, 120) AS n",
            "DELETE FROM categories WHERE display_name <> 'C 1' AND display_name NOT LIKE 'C _'",
            MEMBERS,
            *(["ANALYZE"] if request.param == "analysed" else []),
        ):
            databases.server.execute(statement, database=database)
        yield url


async def plan(url: str, statement: str, arguments: list[Any]) -> str:
    """Explains a statement as a generic plan, the one a prepared statement ends with, and returns it as text."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        rows = await connection.fetch(f"EXPLAIN (FORMAT JSON) {statement}", *arguments)
        return json.dumps(json.loads(rows[0][0]))
    finally:
        await connection.close()


def listing(selected: ContactFilter) -> tuple[str, list[Any]]:
    name = "list_contacts" if selected.category_id is None else "list_contacts_in_category"
    extra = [] if selected.category_id is None else [selected.category_id]
    return filter_contacts(load("contacts")[name], selected, UUID(int=0), 51, *extra)


@pytest.mark.parametrize(
    ("selected", "index"),
    [
        (ContactFilter(), "contacts_pkey"),
        (ContactFilter(whatsapp_state=WhatsappState.ABSENT), "contacts_whatsapp_state_idx"),
        (ContactFilter(marketing_consent=MarketingConsent.OPTED_OUT), "contacts_marketing_consent_idx"),
        (ContactFilter(category_id=ANY_CATEGORY), "category_contacts_pkey"),
    ],
)
async def test_a_page_anywhere_in_the_list_comes_from_its_index(
    filled_url: str, selected: ContactFilter, index: str
) -> None:
    statement, arguments = listing(selected)
    found = await plan(filled_url, statement, arguments)
    assert index in found
    assert '"Seq Scan"' not in found


async def test_the_categories_of_a_contact_come_from_their_index(filled_url: str) -> None:
    found = await plan(filled_url, load("contacts")["get_contact"], [UUID(int=0)])
    assert "category_contacts_contact_id_idx" in found


@pytest.mark.parametrize(
    ("selected", "index"),
    [
        (ContactFilter(phone_number_prefix="+33610001"), "contacts_phone_number_prefix_idx"),
        (ContactFilter(display_name_prefix="Name 12"), "contacts_display_name_prefix_idx"),
    ],
)
async def test_counting_a_prefix_comes_from_its_index(filled_url: str, selected: ContactFilter, index: str) -> None:
    statement, arguments = filter_contacts(load("contacts")["count_contacts"], selected)
    assert index in await plan(filled_url, statement, arguments)


async def test_an_import_finds_its_contacts_by_their_keys(filled_url: str) -> None:
    connection = await asyncpg.connect(filled_url)
    try:
        await connection.execute(load("contact_imports")["prepare_import_stage"])
        found = await connection.fetchval("EXPLAIN (FORMAT JSON) " + load("contact_imports")["add_staged_memberships"])
    finally:
        await connection.close()
    # The unique index or the one for prefixes: both lead straight to a number.
    assert "contacts_phone_number_" in found
    assert '"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "contacts"' not in found


@pytest.fixture
async def database(filled_url: str) -> AsyncIterator[CountingDatabase]:
    async with CountingDatabase(url=filled_url) as database:
        yield database


async def test_a_page_is_one_statement_whatever_its_size(database: CountingDatabase) -> None:
    store = Store(database)
    mutations, clock = Mutations(store=store), SystemClock()
    contacts = ContactsService(store=store, mutations=mutations, clock=clock, settings=Settings())
    categories = CategoriesService(store=store, mutations=mutations, clock=clock)
    for size in (1, 5):
        database.forget()
        listed = await categories.ListCategories(categories_pb2.ListCategoriesRequest(page_size=size), None)
        assert (len(listed.categories), database.statements) == (size, ["list_categories"])
    for size in (1, 500):
        database.forget()
        page = await contacts.ListContacts(contacts_service_pb2.ListContactsRequest(page_size=size), None)
        assert (len(page.contacts), database.statements) == (size, ["list_contacts"])
        assert size == 1 or any(contact.categories for contact in page.contacts)
        database.forget()
        names = [contact.name for contact in page.contacts]
        await contacts.BatchGetContacts(contacts_service_pb2.BatchGetContactsRequest(names=names), None)
        assert database.statements == ["get_contacts"]
