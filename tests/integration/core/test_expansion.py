"""The expansion of an audience: exact, once, resumable, and by the primary key at any size."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from core.db import Connection, Database
from core.domain.campaigns import ExpandedPage
from core.domain.contacts import MarketingConsent, may_receive
from core.domain.templates import TemplateCategory
from core.repositories.expansion import SQL, Expansion
from tests.helpers import campaign_rows as rows
from tests.helpers.scans import rows_read


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(url=fresh_database_url, pool_size=8) as database:
        yield database


async def page(database: Database, campaign_id: UUID, size: int) -> ExpandedPage:
    async with database.transaction() as connection:
        return await Expansion(connection).expand_page(campaign_id, size)


async def expand(database: Database, campaign_id: UUID, *, size: int) -> int:
    inserted = 0
    while True:
        done = await page(database, campaign_id, size)
        inserted += done.inserted
        if done.is_complete:
            return inserted


async def die_after_page(database: Database, campaign_id: UUID, size: int) -> None:
    async with database.transaction() as connection:
        assert (await Expansion(connection).expand_page(campaign_id, size)).inserted == size
        raise WorkerDiedError


class WorkerDiedError(Exception):
    """Stands for a worker that is killed before its commit."""


async def planned(connection: Connection, campaign_id: UUID) -> dict[UUID, tuple[str, str, list[str] | None]]:
    statement = "SELECT contact_id, state, reason, parameters FROM messages WHERE campaign_id = $1"
    found = await connection.fetch(statement, campaign_id)
    return {row["contact_id"]: (row["state"], row["reason"], row["parameters"]) for row in found}


async def campaign(connection: Connection, **options: object) -> UUID:
    sender_id = await rows.add_sender(connection)
    template_id = await rows.add_template(connection)
    return await rows.add_campaign(connection, sender_id=sender_id, template_id=template_id, **options)  # type: ignore[arg-type]


async def test_every_contact_gets_one_message_with_its_own_values(database: Database) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 25)
        campaign_id = await campaign(connection)
        assert await expand(database, campaign_id, size=10) == 25
        messages = await planned(connection, campaign_id)
        row = await connection.fetchrow("SELECT audience_count, expand_complete_time FROM campaigns")
    assert messages.keys() == set(contacts)
    assert ("PENDING", "", ["Name 7", "Rome"]) in messages.values()
    assert row is not None
    assert row["audience_count"] == 25
    assert row["expand_complete_time"] is not None


async def test_the_ids_of_a_page_tell_its_time_and_go_in_the_order_of_the_contacts(database: Database) -> None:
    async with database.connection() as connection:
        await rows.add_contacts(connection, 25)
        campaign_id = await campaign(connection)
        await expand(database, campaign_id, size=10)
        found = await connection.fetch(
            """SELECT id, uuid_extract_version(id) AS version,
                abs(extract(epoch FROM uuid_extract_timestamp(id) - create_time)) AS distance
            FROM messages ORDER BY contact_id"""
        )
    ids = [row["id"] for row in found]
    assert ids == sorted(set(ids))
    assert {row["version"] for row in found} == {7}
    assert max(row["distance"] for row in found) < 10


async def test_whom_consent_or_whatsapp_forbids_or_a_value_is_missing_for_is_skipped_with_the_reason(
    database: Database,
) -> None:
    async with database.connection() as connection:
        opted_out, absent, nameless, fine = await rows.add_contacts(connection, 4)
        await connection.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT' WHERE id = $1", opted_out)
        await connection.execute("UPDATE contacts SET whatsapp_state = 'ABSENT' WHERE id = $1", absent)
        await connection.execute("UPDATE contacts SET display_name = '  ' WHERE id = $1", nameless)
        campaign_id = await campaign(connection)
        await expand(database, campaign_id, size=10)
        messages = await planned(connection, campaign_id)
    assert messages[opted_out] == ("SKIPPED", "OPTED_OUT", None)
    assert messages[absent] == ("SKIPPED", "NO_WHATSAPP", None)
    assert messages[nameless] == ("SKIPPED", "MISSING_VARIABLE", None)
    assert messages[fine][0] == "PENDING"


async def test_a_default_fills_what_a_contact_lacks_and_a_literal_is_the_same_for_all(database: Database) -> None:
    bindings = [
        rows.CITY | {"parameter": "1", "default_value": "town"},
        rows.NAME | {"source": "LITERAL", "value": "25%"},
    ]
    async with database.connection() as connection:
        here, nowhere = await rows.add_contacts(connection, 2)
        await connection.execute("UPDATE contacts SET attributes = '{}' WHERE id = $1", nowhere)
        campaign_id = await campaign(connection, bindings=bindings)
        await expand(database, campaign_id, size=10)
        messages = await planned(connection, campaign_id)
    assert messages[here][2] == ["Rome", "25%"]
    assert messages[nowhere][2] == ["town", "25%"]


async def test_a_contact_in_two_categories_is_reached_once_and_one_in_an_excluded_category_never(
    database: Database,
) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 30)
        await rows.add_contacts(connection, 5)
        left = await rows.add_category(connection, contacts[:20], name="Left")
        right = await rows.add_category(connection, contacts[10:30], name="Right")
        never = await rows.add_category(connection, contacts[5:25:2], name="Never")
        campaign_id = await campaign(connection, categories=[left, right], excluded=[never])
        inserted = await expand(database, campaign_id, size=4)
        messages = await planned(connection, campaign_id)
    assert messages.keys() == set(contacts) - set(contacts[5:25:2])
    assert inserted == 20


async def test_a_page_that_dies_before_its_commit_is_planned_again_and_nobody_twice(database: Database) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 30)
        campaign_id = await campaign(connection)
        await page(database, campaign_id, 10)
        with pytest.raises(WorkerDiedError):
            await die_after_page(database, campaign_id, 10)
        assert len(await planned(connection, campaign_id)) == 10
        assert await expand(database, campaign_id, size=10) == 20
        assert (await planned(connection, campaign_id)).keys() == set(contacts)


async def test_workers_that_expand_the_same_campaign_at_once_plan_everyone_once(database: Database) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 200)
        campaign_id = await campaign(connection)
        inserted = await asyncio.gather(*(expand(database, campaign_id, size=7) for _ in range(5)))
        assert sum(inserted) == 200
        assert (await planned(connection, campaign_id)).keys() == set(contacts)
        assert await connection.fetchval("SELECT audience_count FROM campaigns") == 200


async def test_while_one_worker_plans_a_page_no_other_plans_one_of_that_campaign(database: Database) -> None:
    async with database.connection() as connection:
        campaign_id = await campaign(connection)
    async with database.transaction() as planning:
        await Expansion(planning).lock_expansion(campaign_id)
        async with database.connection() as other:
            await other.execute("SET lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await Expansion(other).lock_expansion(campaign_id)


async def test_an_expansion_that_lost_its_checkpoint_makes_no_second_message(database: Database) -> None:
    async with database.connection() as connection:
        await rows.add_contacts(connection, 12)
        campaign_id = await campaign(connection)
        await expand(database, campaign_id, size=5)
        await connection.execute("UPDATE campaigns SET expand_after_contact_id = NULL, expand_complete_time = NULL")
        assert await expand(database, campaign_id, size=5) == 0
        assert await connection.fetchval("SELECT audience_count FROM campaigns") == 12


async def test_an_expansion_set_back_a_part_plans_only_whom_it_has_not_reached(database: Database) -> None:
    async with database.connection() as connection:
        first = await rows.add_contacts(connection, 12)
        campaign_id = await campaign(connection)
        await expand(database, campaign_id, size=5)
        later = await rows.add_contacts(connection, 3)
        statement = "UPDATE campaigns SET expand_after_contact_id = $1, expand_complete_time = NULL"
        await connection.execute(statement, first[6])
        assert await expand(database, campaign_id, size=4) == 3
        assert (await planned(connection, campaign_id)).keys() == {*first, *later}
        assert await connection.fetchval("SELECT audience_count FROM campaigns") == 15


async def test_nobody_behind_the_checkpoint_of_an_expansion_under_way_has_a_message(database: Database) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 12)
        campaign_id = await campaign(connection)
        expansion = Expansion(connection)
        assert not await expansion.is_planned_ahead(campaign_id)
        await page(database, campaign_id, 5)
        assert not await expansion.is_planned_ahead(campaign_id)
        await connection.execute("UPDATE campaigns SET expand_after_contact_id = $1", contacts[3])
        assert await expansion.is_planned_ahead(campaign_id)


@pytest.mark.parametrize("category", TemplateCategory)
@pytest.mark.parametrize("consent", MarketingConsent)
async def test_who_is_skipped_for_their_consent_is_whom_the_rule_forbids(
    database: Database, category: TemplateCategory, consent: MarketingConsent
) -> None:
    async with database.connection() as connection:
        [contact_id] = await rows.add_contacts(connection, 1)
        await connection.execute("UPDATE contacts SET marketing_consent = $1", consent)
        sender_id = await rows.add_sender(connection)
        template_id = await rows.add_template(connection, category=category)
        campaign_id = await rows.add_campaign(connection, sender_id=sender_id, template_id=template_id)
        await expand(database, campaign_id, size=10)
        state = (await planned(connection, campaign_id))[contact_id][0]
    assert (state == "PENDING") == may_receive(category, consent)


@pytest.mark.parametrize("state", ["DRAFT", "SCHEDULED", "CANCELLED", "FAILED", "COMPLETED"])
async def test_a_campaign_in_another_state_is_not_expanded(database: Database, state: str) -> None:
    async with database.connection() as connection:
        await rows.add_contacts(connection, 3)
        campaign_id = await campaign(connection, state=state)
        assert await page(database, campaign_id, 10) == ExpandedPage(inserted=0, is_complete=True)
        assert not await planned(connection, campaign_id)


async def test_a_paused_campaign_freezes_the_rest_of_its_audience(database: Database) -> None:
    async with database.connection() as connection:
        await rows.add_contacts(connection, 3)
        campaign_id = await campaign(connection, state="PAUSED")
        assert await expand(database, campaign_id, size=10) == 3


@pytest.mark.parametrize("of_categories", [False, True])
async def test_a_page_enters_never_analysed_tables_by_their_keys(database: Database, *, of_categories: bool) -> None:
    async with database.connection() as connection:
        contacts = await rows.add_contacts(connection, 20_000)
        listed = [await rows.add_category(connection, contacts, name="All")] if of_categories else None
        campaign_id = await campaign(connection, categories=listed)
    statement = SQL["plan_page"].replace("WITH candidates", "EXPLAIN (ANALYZE, FORMAT JSON) WITH candidates", 1)
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await Expansion(connection).expand_page(campaign_id, 1000)
        plan = (await connection.fetchval(statement, campaign_id, 1000, False))[0]["Plan"]
    assert 0 < max(rows_read(plan, {"contacts", "category_contacts"})) <= 1000
