"""The number of statements an rpc makes does not depend on the size of its page."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from chappe.v1 import senders_pb2, templates_pb2

from core.clock import SystemClock
from core.repositories.rooms import Store
from core.settings import Settings
from core.wakeups import Wakeups
from core.whatsapp.management import ManagementClient
from server.mutations import Mutations
from server.services.senders import SendersService
from server.services.templates import TemplatesService
from tests.helpers.statements import CountingDatabase

TEMPLATES = """
INSERT INTO templates
    (whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state)
SELECT 'account', n::text, 'template_' || n, 'en', 'MARKETING', 'APPROVED' FROM generate_series(1, 120) AS n
"""
SENDERS = """
INSERT INTO senders (phone_number_id, whatsapp_account_id) SELECT n::text, 'account' FROM generate_series(1, 120) AS n
"""
NOBODY = cast("ManagementClient", None)  # lists ask no one outside


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[CountingDatabase]:
    async with CountingDatabase(url=database_url) as database:
        async with database.connection() as connection:
            await connection.execute("TRUNCATE templates, senders CASCADE")
            await connection.execute(TEMPLATES)
            await connection.execute(SENDERS)
        yield database


async def test_a_page_of_templates_is_one_statement_whatever_its_size(database: CountingDatabase) -> None:
    store = Store(database)
    service = TemplatesService(
        store=store, mutations=Mutations(store=store), clock=SystemClock(), settings=Settings(), management=NOBODY
    )
    for size in (1, 100):
        database.forget()
        reply = await service.ListTemplates(templates_pb2.ListTemplatesRequest(page_size=size), None)
        assert (len(reply.templates), len(database.statements)) == (size, 1)


async def test_a_page_of_senders_is_one_statement_whatever_its_size(database: CountingDatabase) -> None:
    store = Store(database)
    service = SendersService(
        store=store,
        mutations=Mutations(store=store),
        wakeups=cast("Wakeups", None),
        clock=SystemClock(),
        settings=Settings(),
        management=NOBODY,
    )
    for size in (1, 100):
        database.forget()
        reply = await service.ListSenders(senders_pb2.ListSendersRequest(page_size=size), None)
        assert (len(reply.senders), len(database.statements)) == (size, 1)


async def test_the_count_would_show_a_statement_per_row(database: CountingDatabase) -> None:
    database.forget()
    async with database.connection() as connection:
        for _ in range(3):
            await connection.fetchval("SELECT 1")
    assert database.statements == ["SELECT 1"] * 3
