"""A database with so many rows of every kind, and the whole contract served on it while its statements are counted."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import grpc
from aiohttp import web
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from grpc_health.v1 import _async as health_aio
from prometheus_client import CollectorRegistry

from core.cache import Cache, CacheMetrics
from core.clock import SystemClock
from core.db import Database
from core.metrics import RpcMetrics
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from core.whatsapp.http import Http
from core.whatsapp.management import ManagementClient
from server.assembly import build_server, interceptors, services
from server.interceptors.deadline import Deadline
from server.keys import create_key
from server.mutations import Mutations
from server.parts import Parts
from stack.ports import Ports
from tests.helpers.doors import listening
from tests.helpers.reads_api import some_rows
from tests.helpers.statements import CountingDatabase

CLOCK = SystemClock()
CAMPAIGN_STATES = ("DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED")
_FILL = (
    "INSERT INTO contacts (phone_number) SELECT '+33610' || (100000 + n) FROM generate_series(1, $1::integer + 9) AS n",
    """INSERT INTO categories (display_name) SELECT 'Category ' || n FROM generate_series(1, $1::integer + 3) AS n""",
    """INSERT INTO category_contacts (category_id, contact_id)
    SELECT wanted.id, members.id
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM categories) AS wanted,
        (SELECT id FROM contacts ORDER BY id LIMIT $1::integer) AS members
    WHERE wanted.number IN (1, 4)""",
    """INSERT INTO senders (phone_number_id, whatsapp_account_id)
    SELECT (1000 + n)::text, 'other' FROM generate_series(1, $1::integer + 3) AS n""",
    """INSERT INTO templates
    (whatsapp_account_id, whatsapp_template_id, template_name, language_code, template_category, state)
    SELECT 'other', n::text, 'template_' || n, 'en', 'MARKETING', 'APPROVED'
    FROM generate_series(1, $1::integer) AS n""",
)
# One contact has got many messages, and answered one of hers many times.
_OF_ONE = (
    """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, state, reason)
    SELECT $1, (SELECT id FROM contacts ORDER BY id LIMIT 1), sender_id, NULL, 'SKIPPED', 'NO_REPLY_WINDOW'
    FROM campaigns, generate_series(1, $2::integer) WHERE id = $1""",
    """INSERT INTO interactions (sender_id, contact_id, campaign_id, message_id, kind, interaction_time)
    SELECT sender_id, contact_id, campaign_id, id, 'TEXT', now()
    FROM (SELECT * FROM messages WHERE campaign_id = $1 ORDER BY id LIMIT 1) AS first,
        generate_series(1, $2::integer)""",
)
_CAMPAIGNS = """
    INSERT INTO campaigns (display_name, sender_id, template_id, state, bindings, schedule_time, category_ids,
        complete_time)
    SELECT 'Campaign ' || n, sender_id, template_id, wanted.state, bindings, '2100-01-01',
        ARRAY(SELECT id FROM categories ORDER BY id LIMIT 1), CASE wanted.state WHEN 'COMPLETED' THEN now() END
    FROM campaigns AS first, generate_series(1, $2::integer + 3) AS n, unnest($3::text[]) AS wanted (state)
    WHERE first.id = $1"""


@dataclass(frozen=True, slots=True)
class World:
    """Is a served contract; names of rows stand in it by kind, each with more than ``size``."""

    size: int
    names: dict[str, list[str]]
    database: CountingDatabase
    channel: grpc.aio.Channel
    metadata: tuple[tuple[str, str], ...]

    async def count(self, method: MethodDescriptor, request: dict[str, Any]) -> list[str]:
        """Makes a call, to the end or, of a watch, to the first element; returns the statements that it took."""
        statements, _ = await self.see(method, request)
        return statements

    async def see(self, method: MethodDescriptor, request: dict[str, Any]) -> tuple[list[str], list[Message]]:
        """Does what ``count`` does and returns the replies beside the statements: of most calls there is one."""
        self.database.forget()
        asked = json_format.ParseDict(request, message_factory.GetMessageClass(method.input_type)())
        replies = await self._call(method, asked)
        return list(self.database.statements), replies

    async def _call(self, method: MethodDescriptor, request: Message) -> list[Message]:
        path = f"/{method.containing_service.full_name}/{method.name}"
        reply = message_factory.GetMessageClass(method.output_type).FromString
        options: Any = {"request_serializer": type(request).SerializeToString, "response_deserializer": reply}
        if not method.server_streaming:
            unary: Any = self.channel.unary_unary(path, **options)
            return [await unary(request, metadata=self.metadata, timeout=20)]
        if method.client_streaming:
            stream: Any = self.channel.stream_stream(path, **options)
            call = stream(iter([request]), metadata=self.metadata, timeout=20)
        else:
            stream = self.channel.unary_stream(path, **options)
            call = stream(request, metadata=self.metadata, timeout=20)
        replies = []
        async for element in call:
            replies.append(element)
            if method.name.startswith("Watch"):
                break
        call.cancel()
        return replies


@asynccontextmanager
async def world(
    size: int, *, database_url: str, cache_url: str, queue_url: str, cached: bool = False
) -> AsyncIterator[World]:
    """Yields a served contract with ``size`` rows of each kind and a few to spare; its cache is all in Redis."""
    settings = Settings(
        database_url=database_url, cache_url=cache_url, queue_url=queue_url, hash_key="k", whatsapp_access_token="t"
    )
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(Database(url=database_url, pool_size=2))
        counting = await stack.enter_async_context(CountingDatabase(url=database_url, pool_size=4))
        names = await _fill(own, size)
        management = await stack.enter_async_context(_whatsapp(size))
        cache = await stack.enter_async_context(_cache(settings)) if cached else None
        server = await _server(stack, settings, own, counting, management, cache=cache)
        key = await create_key(Store(own), role="ADMIN")
        channel = await stack.enter_async_context(listening(server))
        yield World(size, names, counting, channel, (("authorization", f"Bearer {key}"),))


async def _server(
    stack: AsyncExitStack,
    settings: Settings,
    own: Database,
    counting: CountingDatabase,
    management: ManagementClient,
    *,
    cache: Cache | None,
) -> grpc.aio.Server:
    store, wakeups = Store(counting), Wakeups.connect(settings.queue_url, clock=CLOCK)
    pace = Pace.connect(settings.pace_url, clock=CLOCK)
    stack.push_async_callback(wakeups.close)
    stack.push_async_callback(pace.close)
    parts = Parts(
        settings=settings, clock=CLOCK, store=store, mutations=Mutations(store=store), wakeups=wakeups, pace=pace,
        management=management, cache_metrics=CacheMetrics(clock=CLOCK),
    )  # fmt: skip
    # Who calls is looked up once in ten seconds, in a database that nobody counts.
    chain = interceptors(
        settings=settings, clock=CLOCK, store=Store(own), cache=cache, deadline=Deadline(default_seconds=20),
        metrics=RpcMetrics(CollectorRegistry()),
    )  # fmt: skip
    return build_server(services(parts), chain, health_servicer=health_aio.HealthServicer(), settings=settings)


def _cache(settings: Settings) -> Cache:
    """Makes a cache that remembers nothing itself."""
    return Cache(url=settings.cache_url, clock=CLOCK, timeout_seconds=2, memory_bytes=0)


async def _fill(database: Database, size: int) -> dict[str, list[str]]:
    async with some_rows(database) as rows:
        campaign_id = await rows.campaign(state="COMPLETED")
        await rows.messages(campaign_id, *["READ"] * size, *["FAILED"] * size)
        await rows.interactions(campaign_id)
        for statement in _FILL:
            await rows.execute(statement, size)
        for statement in _OF_ONE:
            await rows.execute(statement, campaign_id, size)
        await rows.execute(_CAMPAIGNS, campaign_id, size, list(CAMPAIGN_STATES))
        names = {table: await _names(database, table) for table in ("contacts", "categories", "senders", "templates")}
        for state in CAMPAIGN_STATES:
            names[state] = await _names(database, "campaigns", f"state = '{state}' AND display_name <> 'Spring'")
        names["campaign"] = [f"campaigns/{campaign_id}"]
        names["messages"] = await _names(database, f"{names['campaign'][0]}/messages")
    return names


async def _names(database: Database, parent: str, condition: str = "true") -> list[str]:
    statement = f"SELECT id FROM {parent.rpartition('/')[2]} WHERE {condition} ORDER BY id"  # noqa: S608  # constants
    async with database.connection() as connection:
        return [f"{parent}/{cast('UUID', row['id'])}" for row in await connection.fetch(statement)]


@asynccontextmanager
async def _whatsapp(size: int) -> AsyncIterator[ManagementClient]:
    """Answers as an account with so many templates does."""

    async def handle(request: web.Request) -> web.Response:
        if request.path.endswith("message_templates"):
            return web.json_response({"data": [_template(number) for number in range(size)]})
        return web.json_response({"id": "100", "display_phone_number": "+49 170 1", "quality_rating": "GREEN"})

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    port = Ports().take()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with Http(timeout_seconds=5, max_connections=2) as http:
            yield ManagementClient(http=http, base_url=f"http://127.0.0.1:{port}", api_version="v25.0")
    finally:
        await runner.cleanup()


def _template(number: int) -> dict[str, object]:
    return {
        "id": str(number), "name": f"synced_{number}", "language": "en", "status": "APPROVED", "category": "UTILITY",
        "components": [],
    }  # fmt: skip
