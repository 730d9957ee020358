"""Several server processes, a Valkey that can be taken away, and the steps that callers, workers and fate may take."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import redis.asyncio as redis
from chappe.v1 import categories_pb2, stats_pb2, stats_service_pb2
from google.protobuf.message import Message

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack import programs
from stack.process import Command, Process
from stack.ready import by_port_file
from stack.valkey import Valkey
from tests.helpers import campaign_rows
from tests.helpers.doors import call
from tests.helpers.frozen import frozen
from tests.helpers.proxy import Proxy
from tests.property.cache_law import HEARD_SECONDS, Law, Write

CLOCK = SystemClock()
_CATEGORIES, _STATS = "/chappe.v1.CategoriesService", "/chappe.v1.StatsService"
_DEAF_SECONDS = 0.3
_LATE_SECONDS = 0.03


@dataclass(slots=True)
class World:
    """What a test plays with; ``processes`` are channels, each with a wire of its own to Valkey."""

    database: Database
    valkey: Valkey
    key: str
    category: str
    campaign: str
    sender_id: Any
    channels: list[grpc.aio.Channel] = field(default_factory=list)
    wires: list[Proxy] = field(default_factory=list)
    law: Law = field(default_factory=Law)
    begun: int = 0
    messages: int = 0

    # Callers.

    async def write(self, process: int) -> None:
        """Renames the category to its next version."""
        self.begun += 1
        version = self.begun
        category = categories_pb2.Category(name=self.category, display_name=f"{version}")
        request = categories_pb2.UpdateCategoryRequest(category=category)
        _, trailing = await self._call(process, f"{_CATEGORIES}/UpdateCategory", request, categories_pb2.Category)
        told = str(trailing.get("chappe-generations", ""))
        self.law.writes.append(Write(version, process, CLOCK.monotonic(), told))

    async def read(self, process: int, *, listed: bool = False, sends_back: bool = False, cached: bool = True) -> None:
        """Reads the category, by itself or in its list, and holds what is shown against the law."""
        seen = next((write.generations for write in reversed(self.law.writes) if write.generations), "")
        metadata = {"chappe-generations": seen} if seen and sends_back else {}
        metadata |= {} if cached else {"cache-control": "no-cache"}
        at = CLOCK.monotonic()
        least = self.law.least_version(process=process, at=at, seen=seen if sends_back else "")
        if not cached:
            least = max((write.version for write in self.law.writes), default=0)
        method, request, kind = self._question(listed=listed)
        reply, trailing = await self._call(process, method, request, kind, **metadata)
        shown = int(reply.categories[0].display_name if listed else reply.display_name)
        where = {"process": process, "method": method, "cache": trailing["chappe-cache"], "sends_back": sends_back}
        self.law.check_version(shown, least, where=where)
        self.law.check_reply(method, shown, reply.SerializeToString(deterministic=True))

    async def read_stats(self, process: int) -> None:
        """Reads the campaign's statistics, which workers change behind the cache."""
        least = self.law.least_count(CLOCK.monotonic())
        request = stats_service_pb2.GetCampaignStatsRequest(name=f"{self.campaign}/stats")
        reply, _ = await self._call(process, f"{_STATS}/GetCampaignStats", request, stats_pb2.CampaignStats)
        self.law.check_count(reply.counts.message_count, least)

    async def race(self, writer: int) -> None:
        """Writes while all processes read."""
        readers = range(len(self.channels))
        await asyncio.gather(self.write(writer), *(self.read(n, listed=bool(m)) for n in readers for m in range(2)))

    async def keep_late(self, reader: int) -> None:
        """Has a process read, and another write before Redis hears of the reply it is to keep."""
        wire = self.wires[reader]
        wire.question_delay_seconds = _LATE_SECONDS
        reads = [asyncio.ensure_future(self.read(reader, listed=listed)) for listed in (False, True)]
        await asyncio.gather(*reads, return_exceptions=True)
        await self.write((reader + 1) % len(self.channels))
        for read in reads:
            read.result()
        await self.wait(_LATE_SECONDS)
        wire.question_delay_seconds = 0.0

    # Workers.

    async def work(self) -> None:
        """Changes a campaign's numbers without telling anybody."""
        async with self.database.connection() as connection:
            campaign_id = self.campaign.partition("/")[2]
            await campaign_rows.add_messages(connection, campaign_id, sender_id=self.sender_id, states=["PENDING"])  # type: ignore[arg-type]  # its text will do
        self.messages += 1
        self.law.works.append((CLOCK.monotonic(), self.messages))

    # Fate.

    async def wait(self, seconds: float) -> None:
        """Lets time pass: what is shown when is what this is about."""
        await asyncio.sleep(seconds)  # noqa: TID251  # letting time pass is the step itself

    async def part(self, process: int) -> None:
        """Takes Valkey away from one process, has another write, and reads the first once it should have heard."""
        await self.read(process)
        wire = self.wires[process]
        wire.is_deaf = True
        asyncio.get_running_loop().call_later(_DEAF_SECONDS, partial(setattr, wire, "is_deaf", False))
        await self.write((process + 1) % len(self.channels))
        await self.wait(HEARD_SECONDS)
        await self.read(process)

    async def freeze(self, writer: int, seconds: float) -> None:
        """Stops Valkey in its tracks while all processes read and one writes: what it is told then, it does late."""
        readers = range(len(self.channels))
        calls = [asyncio.ensure_future(step) for step in (self.race(writer), *(self.read_stats(n) for n in readers))]
        with frozen(self.valkey):
            await self.wait(seconds)
        await asyncio.gather(*calls)

    async def cut(self, process: int) -> None:
        """Ends a process's connections to Valkey."""
        await self.wires[process].close()
        await self.wires[process].open()

    async def empty(self) -> None:
        """Empties Valkey, generations and all."""
        async with redis.Redis.from_url(self.valkey.url()) as server:
            await server.flushall()

    async def kill(self) -> None:
        """Kills Valkey, which comes back empty."""
        self.valkey.process.kill()
        await asyncio.to_thread(self.valkey.process.start)

    # Afterwards.

    async def hits(self) -> dict[str, int]:
        """Counts the hits of both levels over all processes."""
        counted = {"memory": 0, "redis": 0}
        for process in range(len(self.channels)):
            request = stats_service_pb2.GetCacheStatsRequest()
            stats, _ = await self._call(process, f"{_STATS}/GetCacheStats", request, stats_service_pb2.CacheStats)
            for method in stats.methods:
                for name, level in zip(counted, method.levels, strict=True):
                    counted[name] += level.hit_count
        return counted

    def _question(self, *, listed: bool) -> tuple[str, Message, type[Message]]:
        if listed:
            return (
                f"{_CATEGORIES}/ListCategories",
                categories_pb2.ListCategoriesRequest(),
                categories_pb2.ListCategoriesResponse,
            )
        request = categories_pb2.GetCategoryRequest(name=self.category)
        return f"{_CATEGORIES}/GetCategory", request, categories_pb2.Category

    async def _call(
        self, process: int, method: str, request: Message, kind: type[Message], **metadata: str
    ) -> tuple[Any, dict[str, Any]]:
        pairs = [("authorization", f"Bearer {self.key}"), *metadata.items()]
        return await call(self.channels[process], method, request, kind, metadata=pairs)


Step = Callable[[World], Coroutine[Any, Any, None]]


async def play(world: World, steps: Sequence[Step]) -> None:
    """Takes the steps one after another; raises LawBrokenError at the first that shows what may not be shown."""
    for step in steps:
        await step(world)


@asynccontextmanager
async def opened(
    *, database_url: str, queue_url: str, valkey: Valkey, directory: Path, count: int, without: Sequence[str] = ()
) -> AsyncIterator[World]:
    """Starts the processes, each behind a wire of its own, and stops them."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url=database_url, pool_size=2))
        world = await _furnished(database, valkey)
        settings = {"CHAPPE_DATABASE_URL": database_url, "CHAPPE_QUEUE_URL": queue_url, "CHAPPE_GRPC_PORT": "0"}
        settings["CHAPPE_CACHE_REST_SECONDS"] = "0.2"  # it is to be used again soon after each blow
        started = []
        for number in range(count):
            wire = Proxy(valkey.url())
            await wire.open()
            stack.push_async_callback(wire.close)
            process = _process(f"door-{number}", directory, {**settings, "CHAPPE_CACHE_URL": wire.url}, without)
            stack.push_async_callback(asyncio.to_thread, process.stop)
            process.launch()
            world.wires.append(wire)
            started.append(process)
        for process in started:
            await asyncio.to_thread(process.wait_ready)
            assert process.command.port_file is not None
            address = f"127.0.0.1:{process.command.port_file.read_text().strip()}"
            world.channels.append(await stack.enter_async_context(grpc.aio.insecure_channel(address)))
        await world.write(0)
        yield world


async def _furnished(database: Database, valkey: Valkey) -> World:
    async with database.connection() as connection:
        category_id = await campaign_rows.add_category(connection, [], name="0")
        sender_id = await campaign_rows.add_sender(connection)
        template_id = await campaign_rows.add_template(connection)
        campaign_id = await campaign_rows.add_campaign(connection, sender_id=sender_id, template_id=template_id)
    key = await create_key(Store(database), role="OPERATOR")
    return World(database, valkey, key, f"categories/{category_id}", f"campaigns/{campaign_id}", sender_id)


def _process(name: str, directory: Path, settings: dict[str, str], without: Sequence[str]) -> Process:
    port_file = directory / f"{name}.port"
    flags = [part for safeguard in without for part in ("--without", safeguard)]
    return Process(
        Command(
            name=name,
            argv=(sys.executable, "-m", "tests.property.cache_door", *flags),
            log_file=directory / f"{name}.log",
            ready=by_port_file(port_file),
            port_file=port_file,
            env=programs.environment({**settings, "CHAPPE_PORT_FILE": str(port_file), "CHAPPE_LOG_LEVEL": "WARNING"}),
        )
    )
