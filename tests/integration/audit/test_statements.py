"""The audit's three lists that asked once per row: here one or two statements, for one row as for 500."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from chappe.v1 import messages_service_pb2
from google.protobuf.message import Message

from core.clock import SystemClock
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from server.mutations import Mutations
from server.services.messages import MessagesService
from tests.helpers.reads_api import some_rows
from tests.helpers.statements import CountingDatabase
from tests.integration.audit.conftest import Note

SIZES = (1, 10, 500)


@pytest.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[CountingDatabase]:
    async with CountingDatabase(url=database_url) as counting:
        yield counting


@pytest.fixture(scope="module")
async def campaigns(database: CountingDatabase) -> dict[int, str]:
    """A campaign with so many answered messages for each size."""
    made = {}
    async with some_rows(database) as rows:
        for size in SIZES:
            campaign_id = await rows.campaign()
            await rows.messages(campaign_id, *["READ"] * size)
            await rows.interactions(campaign_id)
            made[size] = f"campaigns/{campaign_id}"
    return made


@pytest.fixture
def service(database: CountingDatabase) -> MessagesService:
    store = Store(database)
    return MessagesService(
        store=store, mutations=Mutations(store=store), wakeups=cast("Wakeups", None), clock=SystemClock(),
        settings=Settings(),
    )  # fmt: skip


async def statements(database: CountingDatabase, rpc: Any, request: Message) -> tuple[Any, int]:
    database.forget()
    return await rpc(request, None), len(database.statements)


async def test_counting_the_interactions_of_a_campaign_is_one_statement(
    database: CountingDatabase, campaigns: dict[int, str], service: MessagesService, note: Note
) -> None:
    counts = []
    for size in SIZES:
        request = messages_service_pb2.CountInteractionsRequest(parent=campaigns[size])
        reply, count = await statements(database, service.CountInteractions, request)
        assert reply.interaction_count == size
        counts.append(count)
    note("statements: interactions of a campaign, 1/10/500", str(counts))
    assert counts == [1, 1, 1]


@pytest.mark.parametrize("what", ["messages of a campaign with contacts", "list of messages"])
async def test_a_page_of_messages_is_two_statements_whatever_its_size(
    database: CountingDatabase, campaigns: dict[int, str], service: MessagesService, note: Note, what: str
) -> None:
    parent = campaigns[500] if "campaign" in what else ""
    counts = []
    for size in SIZES:
        request = messages_service_pb2.ListMessagesRequest(parent=parent, page_size=size)
        reply, count = await statements(database, service.ListMessages, request)
        assert len(reply.messages) == size
        assert all(message.HasField("contact_detail") for message in reply.messages)
        counts.append(count)
    note(f"statements: {what}, 1/10/500", str(counts))
    assert counts == [2, 2, 2]
