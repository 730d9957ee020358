"""A simulator for each test of the workers."""

from collections.abc import AsyncIterator

import pytest

from tests.helpers.sending import whatsapp as running_whatsapp
from tests.helpers.whatsapp import WhatsApp


@pytest.fixture
async def whatsapp_and_url() -> AsyncIterator[tuple[WhatsApp, str]]:
    """The simulator's control side and its address."""
    async with running_whatsapp() as (url, control):
        yield control, url
