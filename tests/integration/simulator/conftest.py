"""A simulator and a receiver of its webhooks, each on a real socket, for every test."""

from collections.abc import AsyncIterator

import pytest

from simulator.app import Simulator
from simulator.profiles import settings_for
from simulator.seed import demo_seed
from simulator.state import Credentials, World
from tests.integration.simulator.helpers import ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, Meta, Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook receiver that checks every signature."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture
async def meta(receiver: Receiver) -> AsyncIterator[Meta]:
    """A client of a fresh simulator in the `fast` profile, whose webhooks go to the receiver."""
    world = World(
        settings=settings_for("fast"),
        credentials=Credentials(app_secret=APP_SECRET, verify_token=VERIFY_TOKEN, access_tokens=(ACCESS_TOKEN,)),
        seed=demo_seed(),
        webhook_url=receiver.url,
    )
    simulator = Simulator(world)
    port = await simulator.start()
    async with Meta(f"http://127.0.0.1:{port}") as client:
        yield client
    await simulator.stop()
