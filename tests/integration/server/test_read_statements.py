"""How many statements a read makes: as many for five hundred rows as for one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest
from chappe.v1 import (
    campaigns_service_pb2,
    categories_pb2,
    contacts_service_pb2,
    messages_pb2,
    messages_service_pb2,
    stats_service_pb2,
)
from google.protobuf.message import Message

from core.cache import CacheMetrics
from core.clock import SystemClock
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from server.mutations import Mutations
from server.services.campaigns import CampaignsService
from server.services.categories import CategoriesService
from server.services.contacts import ContactsService
from server.services.messages import MessagesService
from server.services.stats import StatsService
from tests.helpers.reads_api import Rows, some_rows
from tests.helpers.statements import CountingDatabase

SIZES = (1, 10, 500)
MANY = max(SIZES)
MEMBERSHIPS = 20  # of each contact, and the members of each category
CLOCK = SystemClock()
CATEGORIES = """
    INSERT INTO categories (display_name) SELECT 'Category ' || n FROM generate_series(1, $1::integer) AS n"""
MEMBERS = """
    INSERT INTO category_contacts (category_id, contact_id)
    SELECT categories.id, contacts.id
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM categories) AS categories
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS number FROM contacts) AS contacts
        ON contacts.number % $1::integer = categories.number % $1::integer"""
CAMPAIGNS = """
    INSERT INTO campaigns (display_name, sender_id, template_id, state)
    SELECT 'Campaign ' || n, $2, $3, 'COMPLETED' FROM generate_series(1, $1::integer) AS n"""


@dataclass(frozen=True, slots=True)
class Services:
    """The services on a database that counts, with many rows of every kind."""

    database: CountingDatabase
    campaign_id: UUID
    campaigns: CampaignsService
    categories: CategoriesService
    contacts: ContactsService
    messages: MessagesService
    stats: StatsService


async def fill(rows: Rows) -> UUID:
    """Adds many rows of every kind and returns the campaign that holds the messages."""
    campaign_id = await rows.campaign()
    await rows.messages(campaign_id, *["READ"] * MANY)
    await rows.interactions(campaign_id)
    await rows.execute(CATEGORIES, MANY)
    await rows.execute(MEMBERS, MANY // MEMBERSHIPS)
    await rows.execute(CAMPAIGNS, MANY, rows.sender_id, rows.template_id)
    return campaign_id


@pytest.fixture
async def services(database_url: str) -> AsyncIterator[Services]:
    async with CountingDatabase(url=database_url) as database:
        async with database.connection() as connection:
            await connection.execute("TRUNCATE senders, templates, contacts, categories CASCADE")
            await connection.execute("TRUNCATE campaigns, messages, interactions, counters CASCADE")
        async with some_rows(database) as rows:
            campaign_id = await fill(rows)
        store = Store(database)
        mutations = Mutations(store=store)
        yield Services(
            database,
            campaign_id,
            CampaignsService(
                store=store,
                mutations=mutations,
                wakeups=cast("Wakeups", None),
                pace=cast("Pace", None),
                clock=CLOCK,
            ),
            CategoriesService(store=store, mutations=mutations, clock=CLOCK),
            ContactsService(store=store, mutations=mutations, clock=CLOCK, settings=Settings()),
            MessagesService(
                store=store, mutations=mutations, wakeups=cast("Wakeups", None), clock=CLOCK, settings=Settings()
            ),
            StatsService(store=store, clock=CLOCK, cache_metrics=CacheMetrics(clock=CLOCK)),
        )


async def statements(
    services: Services, method: Callable[[Any, object], Awaitable[Any]], request: Message
) -> tuple[Any, int]:
    """Makes a call and returns the reply and the number of its statements."""
    services.database.forget()
    return await method(request, None), len(services.database.statements)


@pytest.mark.parametrize(
    ("of_campaign", "state"),
    [(True, "STATE_UNSPECIFIED"), (True, "STATE_READ"), (False, "STATE_UNSPECIFIED"), (False, "STATE_READ")],
)
async def test_a_page_of_messages_with_their_contacts_is_two(services: Services, of_campaign: bool, state: str) -> None:
    for size in SIZES:
        request = messages_service_pb2.ListMessagesRequest(
            page_size=size,
            parent=f"campaigns/{services.campaign_id}" if of_campaign else "",
            state=messages_pb2.Message.State.Value(state),
        )
        reply, count = await statements(services, services.messages.ListMessages, request)
        assert (len(reply.messages), count) == (size, 2)
        assert all(message.HasField("contact_detail") for message in reply.messages)


@pytest.mark.parametrize("of_campaign", [True, False])
async def test_a_page_of_interactions_is_one_and_so_is_their_count(services: Services, of_campaign: bool) -> None:
    parent = f"campaigns/{services.campaign_id}"
    for size in SIZES:
        request = messages_service_pb2.ListInteractionsRequest(page_size=size, parent=parent if of_campaign else "")
        reply, count = await statements(services, services.messages.ListInteractions, request)
        assert (len(reply.interactions), count) == (size, 1)
    counting = messages_service_pb2.CountInteractionsRequest(parent=parent)
    reply, count = await statements(services, services.messages.CountInteractions, counting)
    assert (reply.interaction_count, count) == (MANY, 1)


async def test_a_page_of_contacts_with_their_categories_is_one(services: Services) -> None:
    for size in SIZES:
        request = contacts_service_pb2.ListContactsRequest(page_size=size)
        reply, count = await statements(services, services.contacts.ListContacts, request)
        assert (len(reply.contacts), count) == (size, 1)
        assert {len(contact.categories) for contact in reply.contacts} == {MEMBERSHIPS}


async def test_a_page_of_categories_with_their_counts_is_one(services: Services) -> None:
    for size in SIZES:
        request = categories_pb2.ListCategoriesRequest(page_size=size)
        reply, count = await statements(services, services.categories.ListCategories, request)
        assert (len(reply.categories), count) == (size, 1)
        assert {category.contact_count for category in reply.categories} == {MEMBERSHIPS}


async def test_a_page_of_campaigns_is_one(services: Services) -> None:
    for size in SIZES:
        request = campaigns_service_pb2.ListCampaignsRequest(page_size=size)
        reply, count = await statements(services, services.campaigns.ListCampaigns, request)
        assert (len(reply.campaigns), count) == (size, 1)


async def test_numbers_of_a_hundred_campaigns_are_one(services: Services) -> None:
    campaigns = await services.campaigns.ListCampaigns(campaigns_service_pb2.ListCampaignsRequest(page_size=100), None)
    names = [f"{campaign.name}/stats" for campaign in campaigns.campaigns]
    for size in (1, 10, 100):
        request = stats_service_pb2.BatchGetCampaignStatsRequest(names=names[:size])
        reply, count = await statements(services, services.stats.BatchGetCampaignStats, request)
        assert (len(reply.stats), count) == (size, 1)


async def test_a_dashboard_is_two_and_other_numbers_are_one_or_two(services: Services) -> None:
    stats, campaign = services.stats, f"campaigns/{services.campaign_id}"
    dashboard, count = await statements(services, stats.GetDashboard, stats_service_pb2.GetDashboardRequest())
    assert (len(dashboard.campaigns), count) == (10, 2)
    asked = stats_service_pb2.GetCampaignStatsRequest(name=f"{campaign}/stats")
    assert (await statements(services, stats.GetCampaignStats, asked))[1] == 1
    everything = stats_service_pb2.GetMessageStatsRequest()
    assert (await statements(services, stats.GetMessageStats, everything))[1] == 1
    series = stats_service_pb2.GetTimeSeriesRequest(campaign=campaign)
    assert (await statements(services, stats.GetTimeSeries, series))[1] == 2
