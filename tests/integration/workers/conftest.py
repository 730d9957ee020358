"""A simulator for each test of the workers."""

from collections.abc import AsyncIterator

import pytest

from tests.helpers.sending import variables
from tests.helpers.sending import whatsapp as running_whatsapp
from tests.helpers.whatsapp import WhatsApp


@pytest.fixture
async def whatsapp_and_url() -> AsyncIterator[tuple[WhatsApp, str]]:
    """The simulator's control side and its address."""
    async with running_whatsapp() as (url, control):
        yield control, url


@pytest.fixture
def worker_settings(fresh_database_url: str, queue_url: str, whatsapp_and_url: tuple[WhatsApp, str]) -> dict[str, str]:
    """What a worker of this test is started with."""
    return variables(database_url=fresh_database_url, queue_url=queue_url, whatsapp_url=whatsapp_and_url[1])
