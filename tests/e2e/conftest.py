"""Everything running: one stack for the session, with a quick simulator and short leases."""

from collections.abc import AsyncIterator, Iterator

import pytest
from chappe_client import Chappe

from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.stack import Stack
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp

_SETTINGS = {
    "CHAPPE_LEASE_SECONDS": "3",
    "CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "20",
    "CHAPPE_UNCONFIRMED_GRACE_SECONDS": "5",
    "CHAPPE_UNCONFIRMED_DEADLINE_SECONDS": "20",
    "CHAPPE_DEFAULT_REGION": "FR",
}


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """All servers and processes, with one worker."""
    with Stack(
        durable=False, workers=1, settings=_SETTINGS, simulator_settings={"SIMULATOR_PROFILE": "fast"}
    ) as running:
        yield running


@pytest.fixture(scope="session")
async def key(stack: Stack) -> str:
    """A key that may do everything."""
    async with Database(url=stack.servers.postgres.url(), pool_size=1) as database:
        return await create_key(Store(database), role="ADMIN", display_name="e2e")


@pytest.fixture(scope="session")
async def client(stack: Stack, key: str) -> AsyncIterator[Chappe]:
    """The SDK, connected."""
    async with Chappe(stack.api_address, key=key) as connected:
        yield connected


@pytest.fixture
async def whatsapp(stack: Stack) -> AsyncIterator[WhatsApp]:
    """The simulator's control side, which forgets everything first."""
    async with WhatsApp(stack.simulator_url) as control:
        await control.reset()
        yield control
        await control.resume_webhooks()


@pytest.fixture
async def walk(client: Chappe, whatsapp: WhatsApp) -> Walk:
    """Steps that tests share, with a sender of 1,000 messages a second and its templates."""
    return await Walk.begin(client)
