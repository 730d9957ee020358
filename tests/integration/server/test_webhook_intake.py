"""The way of a body to disk: it ends when the door closes, whatever it was about just then."""

import asyncio
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry
from taskiq import BrokerMessage, InMemoryBroker

from core.clock import SystemClock
from core.db import Database
from core.metrics import WebhookMetrics
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from server.webhooks.intake import Intake

BODY = b'{"object":"whatsapp_business_account","entry":[]}'


class LosingBroker(InMemoryBroker):
    """Is cut off at the very moment it has rung, and goes on: redis-py's way on Python 3.11."""

    def __init__(self) -> None:
        super().__init__()
        self.ringing = asyncio.Event()

    async def kick(self, message: BrokerMessage) -> None:
        with suppress(asyncio.CancelledError):
            self.ringing.set()
            await asyncio.Event().wait()


@pytest.fixture
def broker() -> LosingBroker:
    return LosingBroker()


@pytest.fixture
def wakeups(broker: LosingBroker) -> Wakeups:
    return Wakeups(clock=SystemClock(), campaigns=broker, messages=broker, receipts=broker, replies=broker)


async def test_a_door_that_closes_while_it_rings_does_close(
    fresh_database_url: str, broker: LosingBroker, wakeups: Wakeups
) -> None:
    async with asyncio.timeout(10), Database(url=fresh_database_url) as database:
        metrics = WebhookMetrics(CollectorRegistry())
        async with Intake(store=Store(database), wakeups=wakeups, metrics=metrics) as intake:
            await intake.append(BODY)
            await broker.ringing.wait()
