"""What lists and numbers read: about as many rows as they show, in a table just filled and in one well known."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.domain.interaction_lists import InteractionFilter
from core.domain.interactions import InteractionKind
from core.domain.message_lists import MessageFilter
from core.domain.messages import MessageState
from core.domain.stats import DEPLOYMENT
from core.domain.time_ranges import TimeRange
from core.domain.time_series import Bucket, Milestone, choose_span
from core.repositories.rooms import Rooms
from tests.helpers.campaign_rows import add_campaign, add_sender, add_template
from tests.helpers.plans import Explaining
from tests.helpers.servers import Databases

ROWS, SMALL, PAGE = 100_000, 20, 51
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTACTS = """
    INSERT INTO contacts (phone_number) SELECT '+49' || (1700000000 + n) FROM generate_series(1, $1::integer) AS n"""
# The last message of the campaign is the only one that failed: a walk that filters would read all to find it.
MESSAGES = """
    INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, state, accept_time)
    SELECT $1, id, $2, 1,
        CASE row_number() OVER (ORDER BY id) WHEN 3 THEN 'SKIPPED' WHEN $3 THEN 'FAILED' ELSE 'READ' END,
        now()
    FROM contacts ORDER BY id LIMIT $3"""
INTERACTIONS = """
    INSERT INTO interactions (sender_id, contact_id, campaign_id, message_id, kind, interaction_time)
    SELECT sender_id, contact_id, campaign_id, id,
        CASE WHEN row_number() OVER (ORDER BY id) = 7 THEN 'ORDER' ELSE 'TEXT' END,
        now() + random() * interval '1 hour' FROM messages"""
# What else was ever counted: four shards of two states of many campaigns, and three days of the deployment's minutes.
COUNTED = """
    INSERT INTO counters (scope_id, state, error_code, shard, count)
    SELECT gen_random_uuid(), state, 0, shard, 1
    FROM generate_series(1, 2000), unnest('{SENT,READ}'::text[]) AS state, generate_series(20, 23) AS shard"""
ENDED = """
    INSERT INTO campaigns (display_name, sender_id, template_id, state, complete_time)
    SELECT display_name, sender_id, template_id, state, now() - n * interval '1 day'
    FROM (SELECT * FROM campaigns LIMIT 1) AS one CROSS JOIN generate_series(1, 3000) AS n"""
MINUTES = """
    INSERT INTO minute_counters (scope_id, minute, milestone, shard, count)
    SELECT '00000000-0000-0000-0000-000000000000', $1::timestamptz - n * interval '1 minute', milestone, shard, 1
    FROM generate_series(1, 3 * 1440) AS n, unnest('{ACCEPTED,SENT,DELIVERED,READ}'::text[]) AS milestone,
        generate_series(20, 23) AS shard"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A database with a large campaign among small ones, seen through a connection that explains."""

    explaining: Explaining
    campaign_id: UUID

    @property
    def rooms(self) -> Rooms:
        return Rooms(cast("Connection", self.explaining))

    async def contact(self, order: str) -> UUID:
        statement = f"SELECT id FROM contacts ORDER BY id {order} LIMIT 1"  # noqa: S608  # ASC or DESC
        return UUID(str(await self.explaining.connection.fetchval(statement)))

    def check(self, *indexes: str, rows: int = 3 * PAGE) -> None:
        plan = self.explaining.last
        assert not plan.scanned_whole() & {"messages", "interactions", "contacts", "counters", "minute_counters"}
        assert plan.rows_read() <= rows
        assert set(indexes) <= plan.indexes()


@pytest.fixture(scope="module", params=["just filled", "analysed"])
def filled_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    with databases.copy() as url:
        yield url, request.param == "analysed"


@pytest.fixture(scope="module")
async def filled(filled_url: tuple[str, bool]) -> tuple[str, UUID]:
    url, is_analysed = filled_url
    async with Database(url=url) as database, database.connection() as connection:
        sender_id, template_id = await add_sender(connection), await add_template(connection)
        await connection.execute("ALTER TABLE messages SET (autovacuum_enabled = false)")
        await connection.execute("ALTER TABLE interactions SET (autovacuum_enabled = false)")
        await connection.execute(CONTACTS, ROWS)
        campaigns = {}
        for number, count in enumerate((*[50] * SMALL, ROWS, *[50] * SMALL)):
            made = await add_campaign(connection, sender_id=sender_id, template_id=template_id, state="COMPLETED")
            await connection.execute(MESSAGES, made, sender_id, count)
            campaigns[number] = made
        await connection.execute(INTERACTIONS)
        await connection.execute(COUNTED)
        await connection.execute(MINUTES, NOW)
        if is_analysed:
            await connection.execute("ANALYZE")
    return url, campaigns[SMALL]


@pytest.fixture(params=["auto", "force_generic_plan"])
async def seen(filled: tuple[str, UUID], request: pytest.FixtureRequest) -> AsyncIterator[Seen]:
    url, campaign_id = filled
    async with Database(url=url, pool_size=1) as database, database.connection() as connection:
        await connection.execute(f"SET plan_cache_mode = {request.param}")
        yield Seen(Explaining(connection), campaign_id)


async def test_a_page_of_a_campaign_reads_a_page(seen: Seen) -> None:
    listed = await seen.rooms.messages.list_campaign_messages(seen.campaign_id, MessageFilter(), limit=PAGE)
    assert len(listed.messages) == PAGE
    seen.check("messages_pkey")


async def test_a_page_of_one_state_reads_that_state(seen: Seen) -> None:
    failed = MessageFilter(state=MessageState.FAILED)
    listed = await seen.rooms.messages.list_campaign_messages(seen.campaign_id, failed, limit=PAGE)
    assert len(listed.messages) == 1
    seen.check("messages_campaign_id_state_idx")


async def test_one_contact_in_a_campaign_is_found_by_key(seen: Seen) -> None:
    last = await seen.contact("DESC")
    listed = await seen.rooms.messages.list_campaign_messages(
        seen.campaign_id, MessageFilter(contact_id=last), limit=PAGE
    )
    assert len(listed.messages) == 1
    seen.check()


async def test_the_messages_of_a_contact_are_found_by_their_index(seen: Seen) -> None:
    first = await seen.contact("ASC")
    assert len(await seen.rooms.messages.list_messages_of_contact(first, MessageFilter(), limit=PAGE)) == 2 * SMALL + 1
    seen.check("messages_contact_id_idx")


async def test_a_page_of_all_messages_walks_the_primary_key(seen: Seen) -> None:
    page = await seen.rooms.messages.list_messages(limit=PAGE)
    seen.check("messages_pkey")
    await seen.rooms.messages.list_messages(limit=PAGE, before=(page[-1].campaign_id, page[-1].id))
    seen.check("messages_pkey")


async def test_a_state_of_all_campaigns_is_asked_for_campaign_by_campaign(seen: Seen) -> None:
    found = await seen.rooms.messages.list_messages_by_state(MessageState.FAILED, limit=PAGE)
    assert len(found) == 2 * SMALL + 1
    seen.check("messages_campaign_id_state_idx")


async def test_messages_of_a_time_are_entered_where_it_begins(seen: Seen) -> None:
    page = (await seen.rooms.messages.list_campaign_messages(seen.campaign_id, MessageFilter(), limit=PAGE)).messages
    made = datetime.fromtimestamp((page[-1].id.int >> 80) / 1000, UTC)
    planned = TimeRange(start=made, end=made + timedelta(milliseconds=2))
    asked = MessageFilter(planned=planned)
    assert (await seen.rooms.messages.list_campaign_messages(seen.campaign_id, asked, limit=PAGE)).messages
    seen.check("messages_pkey")
    assert await seen.rooms.messages.list_messages_between(planned, limit=PAGE)
    seen.check("messages_pkey")


async def test_answers_of_a_time_are_entered_where_it_begins(seen: Seen) -> None:
    interactions = seen.rooms.interactions
    whole = await interactions.list_campaign_interactions(seen.campaign_id, InteractionFilter(), limit=PAGE)
    start, end = whole[-1].interaction_time, whole[1].interaction_time
    of_time = InteractionFilter(time=TimeRange(start=start, end=end))
    found = await interactions.list_campaign_interactions(seen.campaign_id, of_time, limit=PAGE)
    assert found
    assert all(start <= each.interaction_time < end for each in found)
    seen.check("interactions_campaign_id_time_idx")
    assert not await interactions.list_interactions(
        InteractionFilter(time=TimeRange(end=datetime(2000, 1, 1, tzinfo=UTC))), limit=PAGE
    )
    seen.check("interactions_pkey")


async def test_contacts_of_a_page_are_found_by_key(seen: Seen) -> None:
    page = await seen.rooms.messages.list_messages(limit=PAGE)
    assert len(await seen.rooms.messages.list_addressees(page)) == PAGE - 1  # two campaigns reach the same contact
    seen.check("contacts_pkey")


async def test_a_page_of_a_campaigns_answers_reads_a_page(seen: Seen) -> None:
    rooms = seen.rooms
    page = await rooms.interactions.list_campaign_interactions(seen.campaign_id, InteractionFilter(), limit=PAGE)
    assert len(page) == PAGE
    seen.check("interactions_campaign_id_time_idx")
    before = (page[-1].interaction_time, page[-1].id)
    await rooms.interactions.list_campaign_interactions(
        seen.campaign_id, InteractionFilter(), limit=PAGE, before=before
    )
    seen.check("interactions_campaign_id_time_idx")


async def test_answers_to_a_message_are_found_by_its_id(seen: Seen) -> None:
    (message,) = (await seen.rooms.messages.list_campaign_messages(seen.campaign_id, MessageFilter(), limit=1)).messages
    found = await seen.rooms.interactions.list_message_interactions(
        seen.campaign_id, message.id, InteractionFilter(), limit=PAGE
    )
    assert len(found) == 1
    seen.check("interactions_message_id_idx")


async def test_a_page_of_all_answers_and_of_a_contacts_reads_a_page(seen: Seen) -> None:
    first = await seen.contact("ASC")
    orders = InteractionFilter(kind=InteractionKind.ORDER)
    assert len(await seen.rooms.interactions.list_interactions(orders, limit=PAGE)) == 1
    seen.check("interactions_kind_list_idx")
    await seen.rooms.interactions.list_interactions(InteractionFilter(), limit=PAGE)
    seen.check("interactions_pkey")
    of_first = InteractionFilter(contact_id=first)
    assert len(await seen.rooms.interactions.list_interactions(of_first, limit=PAGE)) == 2 * SMALL + 1
    seen.check("interactions_contact_id_idx")


async def test_numbers_are_read_from_a_few_counters(seen: Seen) -> None:
    rooms = seen.rooms
    stats = await rooms.stats.get_campaign_stats(seen.campaign_id, at=NOW)
    assert (stats.counts.message_count, [skip.message_count for skip in stats.skips]) == (ROWS, [1])
    seen.check("counters_pkey")
    assert (await rooms.stats.get_message_stats(at=NOW)).counts.message_count == ROWS + 2 * SMALL * 50
    seen.check("counters_pkey")
    await rooms.stats.list_campaign_lines(limit=10)
    seen.check("counters_pkey", rows=12 * PAGE)  # reply_counters is scanned while it is small


async def test_the_campaigns_of_a_dashboard_are_found_among_all_that_ever_ended(seen: Seen) -> None:
    connection = seen.explaining.connection
    await connection.execute("BEGIN")
    try:
        await connection.execute(ENDED)
        await connection.execute("UPDATE campaigns SET state = 'RUNNING' WHERE id = $1", seen.campaign_id)
        lines = await seen.rooms.stats.list_campaign_lines(limit=10)
        assert (lines[0].campaign.id, len(lines)) == (seen.campaign_id, 10)
        seen.check("campaigns_active_list_idx", "campaigns_ended_idx", rows=12 * PAGE)
    finally:
        await connection.execute("ROLLBACK")


async def test_numbers_over_time_read_the_time_shown(seen: Seen) -> None:
    rooms = seen.rooms
    assert (await rooms.stats.get_dashboard(at=NOW)).accepted_last_hour_count == 60 * 4
    seen.check("counters_pkey", rows=60 * 16 + 3 * PAGE)
    for bucket, minutes in ((Bucket.MINUTE, 60), (Bucket.HOUR, 48 * 60)):
        span = choose_span(bucket, start=None, end=None, now=NOW)
        counted = await rooms.stats.count_series(DEPLOYMENT, span)
        assert sum(counts[Milestone.READ] for counts in counted.values()) == minutes * 4
        seen.check(rows=minutes * 16)
