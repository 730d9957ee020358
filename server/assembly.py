"""Puts the gRPC door together: stores, interceptors, services; the only place that knows them all."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TypeVar

import grpc
from chappe.v1 import (
    campaigns_service_pb2_grpc,
    categories_pb2_grpc,
    contacts_service_pb2_grpc,
    messages_service_pb2_grpc,
    senders_pb2_grpc,
    stats_service_pb2_grpc,
    templates_pb2_grpc,
)
from google.protobuf import descriptor_pool
from grpc_channelz.v1 import _async as channelz_aio
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import _async as health_aio
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import _async as reflection_aio
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from core.cache import Cache, Safeguards
from core.clock import Clock
from core.db import BUSY_IDLE_SECONDS, WALKS_INDEXES, Database
from core.domain.errors import Unavailable
from core.metrics import RpcMetrics
from core.migrate import MigrationFailed, at_head
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from core.whatsapp.http import Http
from core.whatsapp.management import ManagementClient
from server.door import Door, StartError
from server.interceptors.auth import Auth
from server.interceptors.base import Chain, Interceptor
from server.interceptors.cache import Caching, outdating
from server.interceptors.deadline import Deadline
from server.interceptors.errors import Errors
from server.interceptors.shortcut import shortcut
from server.interceptors.telemetry import Telemetry
from server.interceptors.validation import Validation
from server.monitoring import monitored
from server.mutations import Mutations
from server.parts import Parts
from server.policies import read_policies
from server.services.campaigns import CampaignsService
from server.services.categories import CategoriesService
from server.services.contacts import ContactsService
from server.services.messages import MessagesService
from server.services.senders import SendersService
from server.services.stats import StatsService
from server.services.templates import TemplatesService

T = TypeVar("T", Wakeups, Pace)

_LARGEST_MESSAGE = 4 * 1024 * 1024
_MOST_WHATSAPP_CONNECTIONS = 8  # templates and numbers are read here; messages are sent by workers
_CONNECTION_AGE_MS = 5 * 60 * 1000  # so that callers find new processes; gRPC adds a tenth at random
# What comes while the process is held up waits, each call for as long as its caller likes; by default gRPC cancels what
# is beyond a thousand, and callers are told that somebody cancelled their call.
_MOST_WAITING_CALLS = 20_000
_LEAST_PING_INTERVAL_MS = 10_000  # callers may ask for a sign of life this often without being told to calm down


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Names a service of the contract and who serves it."""

    name: str
    register: Callable[[object, Chain], None]
    servicer: object


def offered(stubs: ModuleType, name: str, servicer: object = None) -> Service:
    """Finds in generated code how a service is registered, and a bare servicer where we have none."""
    return Service(
        name=f"chappe.v1.{name}",
        register=getattr(stubs, f"add_{name}Servicer_to_server"),
        servicer=servicer or getattr(stubs, f"{name}Servicer")(),
    )


def services(parts: Parts) -> list[Service]:
    """Returns every service of the contract, one line each; what has no servicer answers UNIMPLEMENTED."""
    p = parts
    return [
        offered(
            contacts_service_pb2_grpc,
            "ContactsService",
            ContactsService(store=p.store, mutations=p.mutations, clock=p.clock, settings=p.settings),
        ),
        offered(
            categories_pb2_grpc,
            "CategoriesService",
            CategoriesService(store=p.store, mutations=p.mutations, clock=p.clock),
        ),
        offered(
            templates_pb2_grpc,
            "TemplatesService",
            TemplatesService(
                store=p.store, mutations=p.mutations, clock=p.clock, settings=p.settings, management=p.management
            ),
        ),
        offered(
            senders_pb2_grpc,
            "SendersService",
            SendersService(
                store=p.store,
                mutations=p.mutations,
                wakeups=p.wakeups,
                clock=p.clock,
                settings=p.settings,
                management=p.management,
            ),
        ),
        offered(
            campaigns_service_pb2_grpc,
            "CampaignsService",
            CampaignsService(store=p.store, mutations=p.mutations, wakeups=p.wakeups, pace=p.pace, clock=p.clock),
        ),
        offered(messages_service_pb2_grpc, "MessagesService", _messages_service(parts)),
        offered(
            stats_service_pb2_grpc,
            "StatsService",
            StatsService(store=p.store, clock=p.clock, cache_metrics=p.cache_metrics),
        ),
    ]


def _messages_service(parts: Parts) -> MessagesService:
    return MessagesService(
        store=parts.store,
        mutations=parts.mutations,
        wakeups=parts.wakeups,
        clock=parts.clock,
        settings=parts.settings,
    )


def interceptors(
    *, settings: Settings, clock: Clock, store: Store, cache: Cache | None, deadline: Deadline, metrics: RpcMetrics
) -> list[Interceptor]:
    """Returns the chain, outermost first.

    Telemetry sees every final code. Inside errors everything may simply raise. The deadline also covers what auth waits
    for. Auth refuses before anything is spent. A hit is answered before anything is parsed: only replies to valid
    requests were ever kept. What may refuse and stands before the cache must be asked by ``shortcut`` too.
    """
    caching = [Caching(cache=cache, max_reply_bytes=settings.cache_max_reply_bytes)] if cache else []
    return [
        Telemetry(clock=clock, make_id=_request_ids(), metrics=metrics),
        Errors(),
        deadline,
        Auth(store=store, clock=clock),
        *caching,
        Validation(),
    ]


def _request_ids() -> Callable[[], str]:
    """Returns what makes ids of 32 digits that no other process makes: no secret, so 88 bits are drawn once.

    What is counted stands in decimals, which Python writes in half the time of hexadecimal digits.
    """
    ours, numbers = secrets.token_hex(11), itertools.count(10**9)
    return lambda: f"{ours}{next(numbers)}"


@asynccontextmanager
async def assembled(
    *, settings: Settings, clock: Clock, shares_port: bool = False, safeguards: Safeguards | None = None
) -> AsyncIterator[Door]:
    """Yields the door, still closed.

    Raises StartError, ListenError, SettingsError, and PolicyError when the contract has a gap.
    """
    cache = Cache(
        url=settings.cache_url,
        clock=clock,
        timeout_seconds=settings.cache_timeout_seconds,
        rest_seconds=settings.cache_rest_seconds,
        memory_bytes=settings.cache_memory_bytes,
        safeguards=safeguards,
    )
    http = Http(timeout_seconds=settings.whatsapp_timeout_seconds, max_connections=_MOST_WHATSAPP_CONNECTIONS)
    async with (
        _database(settings) as database,
        cache,
        http,
        _wakeups(settings, clock=clock) as wakeups,
        _closing(Pace.connect(settings.pace_url, clock=clock)) as pace,
    ):
        store = Store(database, outdate=outdating(cache) if settings.cache_enabled else None)
        parts = Parts(
            settings=settings,
            clock=clock,
            store=store,
            mutations=Mutations(store=store),
            wakeups=wakeups,
            pace=pace,
            management=_management(settings, http),
            cache_metrics=cache.metrics,
        )
        registry = CollectorRegistry()
        door = _door(parts, database, cache if settings.cache_enabled else None, registry, shares_port=shares_port)
        async with monitored(parts, registry=registry, database=database, is_draining=lambda: door.is_closing):
            yield door


def _door(
    parts: Parts, database: Database, cache: Cache | None, registry: CollectorRegistry, *, shares_port: bool
) -> Door:
    settings = parts.settings
    deadline = Deadline(default_seconds=settings.default_deadline_seconds)
    chain = interceptors(
        settings=settings,
        clock=parts.clock,
        store=parts.store,
        cache=cache,
        deadline=deadline,
        metrics=RpcMetrics(registry),
    )
    watched = health_aio.HealthServicer()
    server = build_server(services(parts), chain, health_servicer=watched, settings=settings, shares_port=shares_port)
    return Door(server=server, database=database, health=watched, deadline=deadline, settings=settings)


def build_server(
    offers: Sequence[Service],
    chain: Sequence[Interceptor],
    *,
    health_servicer: health_aio.HealthServicer,
    settings: Settings,
    shares_port: bool = False,
) -> grpc.aio.Server:
    """Returns a server that offers the services behind the chain, not yet listening."""
    names = [service.name for service in offers] + [health.SERVICE_NAME]
    foreign = [reflection.SERVICE_NAME, channelz_pb2.DESCRIPTOR.services_by_name["Channelz"].full_name]
    pool = descriptor_pool.Default()
    policies = read_policies([pool.FindServiceByName(name) for name in (*names, *foreign)])
    guarded = Chain(chain, policies=policies, shortcut=shortcut(chain))
    for service in offers:
        service.register(service.servicer, guarded)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, guarded)
    if settings.reflection_enabled:
        servicer = reflection_aio.ReflectionServicer([*names, reflection.SERVICE_NAME])
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(servicer, guarded)
    if settings.channelz_enabled:
        channelz_pb2_grpc.add_ChannelzServicer_to_server(channelz_aio.ChannelzServicer(), guarded)
    server: grpc.aio.Server = grpc.aio.server(options=_options(shares_port=shares_port))
    server.add_generic_rpc_handlers((guarded,))
    return server


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    """Opens the database, or says what keeps us from it."""
    async with AsyncExitStack() as opened:
        pool = Database(
            url=settings.database_url,
            pool_size=settings.database_pool_size,
            planner=WALKS_INDEXES,
            idle_seconds=BUSY_IDLE_SECONDS,
        )
        try:
            database = await opened.enter_async_context(pool)
        except Unavailable as refusal:
            cause = str(refusal.__cause__).partition("\n")[0]
            raise StartError(f"the database does not answer (CHAPPE_DATABASE_URL): {cause}") from refusal
        try:
            await at_head(database)
        except MigrationFailed as missing:
            raise StartError(f"{missing}: run chappe migrate") from missing
        yield database


def _management(settings: Settings, http: Http) -> ManagementClient:
    return ManagementClient(http=http, base_url=settings.whatsapp_base_url, api_version=settings.whatsapp_api_version)


@asynccontextmanager
async def _closing(opened: T) -> AsyncIterator[T]:
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def _wakeups(settings: Settings, *, clock: Clock) -> AsyncIterator[Wakeups]:
    """Opens the bell; raises SettingsError for a server that may delete what is rung, as a worker does."""
    async with _closing(Wakeups.connect(settings.queue_url, clock=clock)) as wakeups:
        # One that is away is not refused: the keeper finds what it is not told of.
        with contextlib.suppress(ConnectionError):
            await wakeups.examine()
        yield wakeups


def _options(*, shares_port: bool) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", int(shares_port)),
        ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
        ("grpc.max_connection_age_ms", _CONNECTION_AGE_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _LEAST_PING_INTERVAL_MS),
        ("grpc.server.max_pending_requests", _MOST_WAITING_CALLS),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_WAITING_CALLS),
    ]
