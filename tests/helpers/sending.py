"""A worker against a simulator: rows to send, settings that fit, and the truth on both sides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.clock import SystemClock
from core.db import Connection, Database
from core.settings import Settings
from simulator.app import Simulator
from simulator.profiles import settings_for
from simulator.seed import demo_seed
from simulator.state import Credentials, World
from tests.helpers.campaign_rows import add_campaign, add_sender, add_template
from tests.helpers.whatsapp import WhatsApp

TOKEN = "test-token"
SENDER = "100000000000002"
ACCOUNT = "200000000000001"
_VALUES = ["Ann", "25%"]


@asynccontextmanager
async def whatsapp() -> AsyncIterator[tuple[str, WhatsApp]]:
    """Yields the address and the control side of a fresh simulator that sends no webhooks."""
    world = World(
        settings=settings_for("fast"),
        credentials=Credentials(app_secret="secret", verify_token="verify", access_tokens=(TOKEN,)),
        seed=demo_seed(),
        webhook_url="",
    )
    simulator = Simulator(world)
    url = f"http://127.0.0.1:{await simulator.start()}"
    try:
        async with WhatsApp(url) as control:
            yield url, control
    finally:
        await simulator.stop()


def variables(*, database_url: str, queue_url: str, whatsapp_url: str, **more: str) -> dict[str, str]:
    """Returns the CHAPPE_ variables of a worker."""
    return {
        "CHAPPE_DATABASE_URL": database_url,
        "CHAPPE_QUEUE_URL": queue_url,
        "CHAPPE_WHATSAPP_BASE_URL": whatsapp_url,
        "CHAPPE_WHATSAPP_ACCESS_TOKEN": TOKEN,
        **more,
    }


def settings(**variables: str) -> Settings:
    """Returns settings as these variables would give them."""
    return Settings(**{name.removeprefix("CHAPPE_").lower(): value for name, value in variables.items()})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Plan:
    """A running campaign with PENDING messages, seen through one connection."""

    connection: Connection
    sender_id: UUID
    campaign_id: UUID

    async def states(self) -> dict[str, int]:
        """Returns how many messages are in each state."""
        found = await self.connection.fetch("SELECT state, count(*) AS count FROM messages GROUP BY state")
        return {row["state"]: row["count"] for row in found}

    async def all_are(self, state: str) -> bool:
        """Tells whether every message is in this state."""
        return set(await self.states()) == {state}

    async def value(self, expression: str) -> Any:
        """Returns an expression over the only message, or an aggregate over all."""
        return await self.connection.fetchval(f"SELECT {expression} FROM messages")  # noqa: S608  # written by tests


async def plan(connection: Connection, numbers: Sequence[str], *, per_second: float = 1000) -> Plan:
    """Plans one message to each number, by hand: no expansion, no wake-up."""
    sender_id = await add_sender(connection, phone_number_id=SENDER, account=ACCOUNT)
    await connection.execute("UPDATE senders SET messages_per_second = $1, refresh_time = now()", per_second)
    template_id = await add_template(connection, account=ACCOUNT)
    campaign_id = await add_campaign(connection, sender_id=sender_id, template_id=template_id)
    await connection.execute("UPDATE campaigns SET expand_complete_time = now(), all_contacts = false")
    await connection.execute("INSERT INTO contacts (phone_number) SELECT unnest($1::text[])", list(numbers))
    await connection.execute(
        """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters)
        SELECT $1, id, $2, 1, $3 FROM contacts ORDER BY id""",
        campaign_id,
        sender_id,
        _VALUES,
    )
    return Plan(connection, sender_id, campaign_id)


@asynccontextmanager
async def planned(database_url: str, numbers: Sequence[str], *, per_second: float = 1000) -> AsyncIterator[Plan]:
    """Yields a plan in this database."""
    async with Database(url=database_url, pool_size=1) as database, database.connection() as connection:
        yield await plan(connection, numbers, per_second=per_second)


def numbers(count: int) -> list[str]:
    """Returns numbers whose last digits ask the simulator for nothing special."""
    return [f"+4917000{n:05d}" for n in range(count) if n % 10_000 < 9_000]  # fmt: skip


CLOCK = SystemClock()
