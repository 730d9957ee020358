"""Puts a worker together: rows, pace, bells, the way to WhatsApp, the tasks and the keeper."""

import asyncio
import contextlib
import random  # noqa: TID251  # the one place that brings luck into a worker
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from prometheus_client import CollectorRegistry
from taskiq import AsyncBroker
from taskiq.acks import AcknowledgeType
from taskiq.receiver import Receiver

from core.cache import telling
from core.clock import Clock
from core.db import BUSY_IDLE_SECONDS, Database
from core.metrics import SendingMetrics
from core.pace import Pace
from core.queue.bells import Bells, open_bells
from core.queue.wakeups import (
    APPLY_DELIVERIES,
    APPLY_URGENT,
    CAMPAIGNS_STREAM,
    EXPAND_CAMPAIGN,
    MESSAGES_STREAM,
    PUMP_SENDER,
    RECEIPTS_STREAM,
    REPLIES_STREAM,
    Wakeups,
)
from core.repositories.rooms import Store
from core.settings import Settings, SettingsError
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.http import Http
from core.whatsapp.management import ManagementClient
from workers.engine import Engine, Safeguards
from workers.keeper import CHORES, Keeper
from workers.lateness import Lateness
from workers.lines import Lines
from workers.monitoring import QueueGauges, monitored
from workers.open_files import affordable
from workers.scouts import scouts
from workers.stops_watch import StopsWatch
from workers.tasks.campaigns import expand_campaign
from workers.tasks.messages import pump_messages
from workers.tasks.receipts import apply_deliveries
from workers.tasks.urgent import apply_urgent

# How many tasks of a kind one process runs at once; each task bounds what it does inside.
_EXPANSIONS = 2
_PUMPS = 32
_APPLIERS = 2
# Connections beside those of messages: what WhatsApp is asked about our numbers must not wait for sends that hang.
_QUESTIONS = 16
# Files beside those connections and the ones to PostgreSQL: the queue, the pace and the cache, metrics, logs.
_OTHER_FILES = 256
# The keeper holds one for its lock while its round is made on another, and the comparison of counters one for minutes.
_FEWEST_CONNECTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """One process's worth of sending: its tasks, its keeper, and who listens for stops where no bell is heard."""

    engine: Engine
    keeper: Keeper
    watch: StopsWatch
    receivers: tuple[Receiver, ...]

    async def run(self) -> None:
        """Works until the engine is told to stop; what was begun is brought to its end."""
        keeping = [asyncio.create_task(self.keeper.run()), asyncio.create_task(self.watch.run())]
        listening = [asyncio.create_task(receiver.listen(self.engine.stopping)) for receiver in self.receivers]
        stopped = asyncio.create_task(self.engine.stopping.wait())
        try:
            await asyncio.wait([*keeping, *listening, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Whatever ended first, the rest must end in order.
            self.engine.stopping.set()
            results = await asyncio.gather(*keeping, *listening, stopped, return_exceptions=True)
            await self.engine.drains.finish()
        for result in results:
            if isinstance(result, BaseException):
                raise result


@asynccontextmanager
async def assembled(
    *, settings: Settings, clock: Clock, stopping: asyncio.Event, safeguards: Safeguards | None = None
) -> AsyncIterator[Worker]:
    """Yields a worker whose connections are open, and closes them; raises SettingsError when it may open too few."""
    holder = f"{socket.gethostname()}-{UUID(int=random.getrandbits(128)).hex[:12]}"
    async with AsyncExitStack() as stack:
        lines = affordable(settings.worker_concurrency, beside=_QUESTIONS + settings.database_pool_size + _OTHER_FILES)
        database = await stack.enter_async_context(_database(settings))
        http = await stack.enter_async_context(
            Http(
                timeout_seconds=settings.whatsapp_timeout_seconds,
                max_connections=lines + _QUESTIONS,
            )
        )
        client, management = _whatsapp(settings, http)
        pace = Pace.connect(settings.pace_url, clock=clock)
        stack.push_async_callback(pace.close)
        opened = open_bells(settings.queue_url)
        bells = await stack.enter_async_context(_listeners(opened, holder))
        outdate = await stack.enter_async_context(telling(settings, clock=clock))
        registry = CollectorRegistry()
        metrics = SendingMetrics(registry)
        engine = Engine(
            settings=settings,
            store=Store(database, outdate=outdate),
            clock=clock,
            pace=pace,
            client=client,
            management=management,
            wakeups=_wakeups(bells, clock=clock),
            holder=holder,
            luck=random.random,
            lines=Lines(lines),
            stopping=stopping,
            safeguards=safeguards or Safeguards(),
            lateness=Lateness(clock=clock, metrics=metrics, grace_seconds=settings.unconfirmed_grace_seconds),
            metrics=metrics,
        )
        gauges = QueueGauges(clock=clock)
        keeper = Keeper(engine=engine, scouts=scouts(engine), chores=(*CHORES, gauges.read))
        await stack.enter_async_context(
            monitored(engine, registry=registry, database=database, gauges=gauges, queue=opened.examine)
        )
        yield Worker(engine=engine, keeper=keeper, watch=StopsWatch(engine=engine), receivers=_receivers(engine, bells))


def _database(settings: Settings) -> Database:
    if settings.database_pool_size < _FEWEST_CONNECTIONS:
        message = f"CHAPPE_DATABASE_POOL_SIZE must be {_FEWEST_CONNECTIONS} or more in a worker: its keeper holds two"
        raise SettingsError(message)
    url = planned_each_time(settings.database_url)
    return Database(
        url=url,
        pool_size=settings.database_pool_size,
        application_name="chappe-worker",
        idle_seconds=BUSY_IDLE_SECONDS,
    )


def _whatsapp(settings: Settings, http: Http) -> tuple[WhatsAppClient, ManagementClient]:
    """Returns the two ways to the Cloud API: one sends, one reads what it says of our numbers."""
    base_url, api_version = settings.whatsapp_base_url, settings.whatsapp_api_version
    return (
        WhatsAppClient(http=http, base_url=base_url, api_version=api_version),
        ManagementClient(http=http, base_url=base_url, api_version=api_version),
    )


def _wakeups(bells: dict[str, AsyncBroker], *, clock: Clock) -> Wakeups:
    return Wakeups(
        clock=clock,
        campaigns=bells[CAMPAIGNS_STREAM],
        messages=bells[MESSAGES_STREAM],
        receipts=bells[RECEIPTS_STREAM],
        replies=bells[REPLIES_STREAM],
    )


@asynccontextmanager
async def _listeners(opened: Bells, holder: str) -> AsyncIterator[dict[str, AsyncBroker]]:
    """Yields a bell for each kind of work, and leaves them in order."""
    streams = (CAMPAIGNS_STREAM, MESSAGES_STREAM, RECEIPTS_STREAM, REPLIES_STREAM)
    bells = {stream: opened.listener(stream, name=holder, luck=random.random) for stream in streams}
    try:
        # One that is away is not refused: the keeper works without it, and a bell asks again when it is back.
        with contextlib.suppress(ConnectionError):
            await opened.examine()
        yield bells
    finally:
        try:
            await asyncio.gather(*(bell.shutdown() for bell in bells.values()))
        finally:
            await opened.close()


def _receivers(engine: Engine, bells: dict[str, AsyncBroker]) -> tuple[Receiver, ...]:
    async def expand(campaign_id: str) -> None:
        await expand_campaign(engine, UUID(campaign_id))

    async def pump(sender_id: str) -> None:
        await pump_messages(engine, UUID(sender_id))

    async def apply() -> None:
        await apply_deliveries(engine)

    async def apply_at_once() -> None:
        await apply_urgent(engine)

    return (
        _receiver(bells[CAMPAIGNS_STREAM], EXPAND_CAMPAIGN, expand, _EXPANSIONS),
        _receiver(bells[MESSAGES_STREAM], PUMP_SENDER, pump, _PUMPS),
        _receiver(bells[RECEIPTS_STREAM], APPLY_DELIVERIES, apply, _APPLIERS),
        _receiver(bells[REPLIES_STREAM], APPLY_URGENT, apply_at_once, 1),
    )


def _receiver(broker: AsyncBroker, task_name: str, task: Callable[..., Awaitable[None]], limit: int) -> Receiver:
    broker.register_task(task, task_name=task_name)
    broker.is_worker_process = True
    return Receiver(broker, max_async_tasks=limit, ack_type=AcknowledgeType.WHEN_EXECUTED)


def planned_each_time(database_url: str) -> str:
    """Has each statement planned with its values: a plan kept from when a table was small reads all of it later."""
    separator = "&" if urlsplit(database_url).query else "?"
    return f"{database_url}{separator}plan_cache_mode=force_custom_plan&jit=off"
