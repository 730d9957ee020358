"""A rolling restart under load: every process of a stack, one after another, while a campaign runs and callers call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chappe_client import Chappe, v1
from chappe_client.errors import ChappeError

from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.process import Process
from stack.stack import Stack
from tests.helpers.eventually import eventually
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp

_CALLERS = 4
_PAUSE_SECONDS = 0.02
_LOOK_SECONDS = 0.1
_DOUBTS = "SELECT count(*) FROM messages WHERE state = 'UNCONFIRMED'"
_RESENT = "SELECT count(*) FROM message_attempts"
SETTINGS = {"CHAPPE_LEASE_SECONDS": "3", "CHAPPE_UNCONFIRMED_GRACE_SECONDS": "20"}
# Answers take their time, and receipts come after a lease is over: a message cut off in its sending is seen in doubt.
_CONDITIONS = {
    "suffixes": False,
    "timeline": {"latency_median": 0.2, "latency_p99": 0.4, "sent_delay": [4.0, 5.0]},
}


@dataclass(slots=True, kw_only=True)
class Figures:
    """What a restart came to: calls, those that failed in spite of the retries, and messages ever in doubt at once."""

    restarts: int = 0
    calls: int = 0
    failures: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    most_in_doubt: int = 0
    resent: int = 0
    messages: int = 0
    accepted: int = 0
    contacts_with_two: int = 0
    read: int = 0

    @property
    def is_spotless(self) -> bool:
        """Tells whether nobody noticed anything, and nothing was lost or doubled."""
        counted = (self.accepted, self.read) == (self.messages, self.messages)
        stained = self.failures or self.most_in_doubt or self.resent or self.contacts_with_two
        return counted and not stained and sorted(self.made) == sorted(self.found)


@dataclass(slots=True, kw_only=True)
class Restart:
    """One stack, one campaign, and as many rounds over all processes as are asked for."""

    stack: Stack
    messages: int
    rate: float
    say: Callable[[str], None] = lambda _: None
    figures: Figures = field(default_factory=Figures)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, rounds: int) -> Figures:
        """Restarts everything so many times while the campaign runs, waits until it is over, and counts."""
        self.figures.messages = self.messages
        async with self._database() as database, self._client(database) as client, self._whatsapp() as whatsapp:
            walk = await Walk.begin(client)
            campaign = await self._campaign(walk)
            beside = [self._watch(database), *(self._call(client, number) for number in range(_CALLERS))]
            async with _until_over(self._over, beside):
                await walk.start(campaign)
                for _ in range(rounds):
                    await self._roll("worker")
                    assert not await walk.is_completed(campaign), "the campaign was over before the workers' restart"
                    await self._roll("webhooks")
                    await self._roll("api")
                await eventually(lambda: walk.is_completed(campaign), timeout=60 + self.messages / self.rate)
            await eventually(lambda: self._all_read(walk, campaign), timeout=60, message="every receipt is applied")
            await self._count(database, client, whatsapp)
        return self.figures

    async def _campaign(self, walk: Walk) -> v1.Campaign:
        category = await walk.import_numbers([f"+336{number:08d}" for number in range(self.messages)])
        campaign = await walk.create_campaign(category)
        paced = v1.Campaign(name=campaign.name, messages_per_second=self.rate)
        return await walk.client.campaigns.update_campaign(v1.UpdateCampaignRequest(campaign=paced))

    async def _roll(self, kind: str) -> None:
        for name, process in self.stack.processes.items():
            if name.startswith(kind):
                self.say(f"restarting {name}")
                await restart(process)
                self.figures.restarts += 1

    async def _call(self, client: Chappe, caller: int) -> None:
        """Writes and reads in turn, with nothing but the client's own retries."""
        number = 0
        while not self._over.is_set():
            number += 1
            name = f"Rolling {caller} {number}"
            category = v1.Category(display_name=name)
            made = await self._counted(client.categories.create_category(v1.CreateCategoryRequest(category=category)))
            if made:
                self.figures.made.append(name)
            await self._counted(client.campaigns.list_campaigns(v1.ListCampaignsRequest(page_size=10)))
            await asyncio.sleep(_PAUSE_SECONDS)  # noqa: TID251  # callers call at an even pace

    async def _counted(self, call: Awaitable[object]) -> bool:
        self.figures.calls += 1
        try:
            await call
        except ChappeError as error:
            self.figures.failures.append(f"{type(error).__name__}: {error}")
            return False
        return True

    async def _watch(self, database: Database) -> None:
        while not self._over.is_set():
            async with database.connection() as connection:
                doubts = int(await connection.fetchval(_DOUBTS))
            self.figures.most_in_doubt = max(self.figures.most_in_doubt, doubts)
            await asyncio.sleep(_LOOK_SECONDS)  # noqa: TID251  # it samples at an even pace

    async def _all_read(self, walk: Walk, campaign: v1.Campaign) -> bool:
        self.figures.read = (await walk.counts(campaign)).read_count
        return self.figures.read == self.messages

    async def _count(self, database: Database, client: Chappe, whatsapp: WhatsApp) -> None:
        self.figures.accepted = await whatsapp.accepted_count()
        self.figures.contacts_with_two = await whatsapp.doubled_count()
        request = v1.ListCategoriesRequest(page_size=1000)
        listed = [category.display_name async for category in client.categories.list_all_categories(request)]
        self.figures.found = [name for name in listed if name.startswith("Rolling ")]
        async with database.connection() as connection:
            self.figures.resent = int(await connection.fetchval(_RESENT))

    def _database(self) -> Database:
        return Database(url=self.stack.servers.postgres.url(), pool_size=2)

    @asynccontextmanager
    async def _client(self, database: Database) -> AsyncIterator[Chappe]:
        key = await create_key(Store(database), role="ADMIN", display_name="rolling")
        async with Chappe(self.stack.envoy_url.removeprefix("http://"), key=key, cached=False) as client:
            yield client

    @asynccontextmanager
    async def _whatsapp(self) -> AsyncIterator[WhatsApp]:
        async with WhatsApp(self.stack.simulator_url) as control:
            await control.change_settings(_CONDITIONS)
            yield control


async def restart(process: Process) -> None:
    """Asks a process to end, waits until it has, and starts it again; call it on the main thread."""
    process.ask_to_stop()
    seconds = process.command.stop_seconds
    await eventually(
        lambda: not process.is_running(), seconds, message=f"{process.command.name} ends when it is asked to"
    )
    process.launch()
    await eventually(lambda: process.command.ready(process.pid), 20, message=f"{process.command.name} is back")


@asynccontextmanager
async def _until_over(over: asyncio.Event, works: Sequence[Coroutine[None, None, None]]) -> AsyncIterator[None]:
    """Does several things while the block runs, and lets each end what it is at."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*tasks)
