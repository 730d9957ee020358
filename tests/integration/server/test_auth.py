"""Who may call what: every rpc of the contract against every role, on the assembled server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from chappe.v1 import (
    campaigns_service_pb2_grpc,
    categories_pb2_grpc,
    contacts_service_pb2_grpc,
    messages_service_pb2_grpc,
    senders_pb2_grpc,
    stats_service_pb2_grpc,
    templates_pb2_grpc,
)
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import _async as health_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from core.clock import SystemClock
from core.db import Database
from core.domain.access import Role, key_hash
from core.metrics import RpcMetrics
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import Service, build_server, interceptors, offered
from server.interceptors.auth import Auth
from server.interceptors.deadline import Deadline
from server.interceptors.errors import Errors
from server.keys import create_key, list_keys, revoke_key
from server.policies import Policy, read_policies
from stack.postgres import Postgres
from tests.helpers.clocks import StillClock
from tests.helpers.doors import ECHO, Context, Stub, details, listening, serving, trailing
from tests.helpers.eventually import eventually
from tests.helpers.frozen import closed

SERVICES = ("Contacts", "Categories", "Templates", "Senders", "Campaigns", "Messages", "Stats")
FOUND = [descriptor_pool.Default().FindServiceByName(f"chappe.v1.{name}Service") for name in SERVICES]
METHODS = [(f"/{service.full_name}/{method.name}", method) for service in FOUND for method in service.methods]
POLICIES = read_policies(FOUND)
SOON = 0.2


def bare_services() -> list[Service]:
    files = {
        "Contacts": contacts_service_pb2_grpc,
        "Categories": categories_pb2_grpc,
        "Templates": templates_pb2_grpc,
        "Senders": senders_pb2_grpc,
        "Campaigns": campaigns_service_pb2_grpc,
        "Messages": messages_service_pb2_grpc,
        "Stats": stats_service_pb2_grpc,
    }
    return [offered(stubs, f"{name}Service") for name, stubs in files.items()]


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with Database(url=database_url) as database:
        yield Store(database)


@pytest.fixture
def clock() -> StillClock:
    return StillClock(SystemClock().now())


@pytest.fixture
async def channel(store: Store, clock: StillClock) -> AsyncIterator[grpc.aio.Channel]:
    settings = Settings()
    chain = interceptors(
        settings=settings,
        clock=clock,
        store=store,
        cache=None,
        deadline=Deadline(default_seconds=10),
        metrics=RpcMetrics(CollectorRegistry()),
    )
    server = build_server(bare_services(), chain, health_servicer=health_aio.HealthServicer(), settings=settings)
    async with listening(server) as channel:
        yield channel


async def reach(channel: grpc.aio.Channel, path: str, method: MethodDescriptor, key: str) -> grpc.aio.AioRpcError:
    """Calls a method with an empty request and returns the refusal; there is always one."""
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    request = message_factory.GetMessageClass(method.input_type)().SerializeToString()
    stub: Stub = getattr(channel, kind)(path)
    made = stub(
        iter([request]) if method.client_streaming else request,
        metadata=[("authorization", f"Bearer {key}")] if key else [],
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _ = [reply async for reply in made] if method.server_streaming else await made
    return refused.value


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "stranger")
async def test_every_rpc_is_open_to_its_role_and_above_and_to_nobody_else(
    channel: grpc.aio.Channel, store: Store, role: Role | None
) -> None:
    key = await create_key(store, role=role) if role else ""
    for path, method in METHODS:
        needed = POLICIES[path].role
        assert needed is not None
        code = (await reach(channel, path, method, key)).code()
        if role is None:
            assert code is grpc.StatusCode.UNAUTHENTICATED, path
        elif role.may_act_as(needed):
            assert code in {grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INVALID_ARGUMENT}, path
        else:
            assert code is grpc.StatusCode.PERMISSION_DENIED, path


async def get(channel: grpc.aio.Channel, authorization: str | None) -> grpc.aio.AioRpcError:
    stub: Stub = channel.unary_unary("/chappe.v1.StatsService/GetMessageStats")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(b"", metadata=[("authorization", authorization)] if authorization is not None else [])
    return refused.value


async def test_missing_unknown_expired_and_revoked_keys_look_the_same(
    channel: grpc.aio.Channel, store: Store, clock: StillClock
) -> None:
    expired = await create_key(store, role="ADMIN", expire_time=clock.now() - timedelta(seconds=1))
    revoked = await create_key(store, role="ADMIN")
    await revoke_key(store, key_prefix=revoked[:17])
    headers = [None, "", "Bearer ", "Basic abc", "Bearer x", f"Bearer {expired}", f"Bearer {revoked}", expired]
    refusals = [await get(channel, header) for header in headers]
    shapes = {(r.code(), r.details(), trailing(r)["grpc-status-details-bin"]) for r in refusals}
    assert len(shapes) == 1
    assert refusals[0].code() is grpc.StatusCode.UNAUTHENTICATED
    assert details(refusals[0])["ErrorInfo"].reason == "API_KEY_INVALID"


async def test_a_revoked_key_opens_nothing_after_ten_seconds(
    channel: grpc.aio.Channel, store: Store, clock: StillClock
) -> None:
    key = await create_key(store, role="VIEWER")
    assert (await get(channel, f"Bearer {key}")).code() is grpc.StatusCode.UNIMPLEMENTED
    await revoke_key(store, key_prefix=key[:17])
    clock.move(10)
    assert (await get(channel, f"bearer {key}")).code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_key_that_expires_while_remembered_opens_nothing(
    channel: grpc.aio.Channel, store: Store, clock: StillClock
) -> None:
    key = await create_key(store, role="VIEWER", expire_time=clock.now() + timedelta(seconds=3))
    assert (await get(channel, f"Bearer {key}")).code() is grpc.StatusCode.UNIMPLEMENTED
    clock.move(3)
    assert (await get(channel, f"Bearer {key}")).code() is grpc.StatusCode.UNAUTHENTICATED


async def say_five_times(request: StringValue, _: Context) -> AsyncIterator[StringValue]:
    for _ in range(5):
        yield request
        await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=SOON)


async def watch(request: StringValue, _: Context) -> AsyncIterator[StringValue]:
    yield request
    await asyncio.Event().wait()


@asynccontextmanager
async def streaming(store: Store, behaviour: Any) -> AsyncIterator[Stub]:
    """Yields a stream for viewers whose keys are asked for again soon."""
    texts: Any = {"request_deserializer": StringValue.FromString, "response_serializer": StringValue.SerializeToString}
    handlers = {"Stream": grpc.unary_stream_rpc_method_handler(behaviour, **texts)}
    auth = Auth(store=store, clock=SystemClock(), remembered_seconds=SOON)
    policies = {f"/{ECHO}/Stream": Policy(role=Role.VIEWER)}
    async with serving(handlers, [Errors(), auth], policies=policies) as channel:
        yield channel.unary_stream(f"/{ECHO}/Stream", response_deserializer=StringValue.FromString)


async def test_a_stream_ends_soon_after_its_key_was_revoked(store: Store) -> None:
    key = await create_key(store, role="VIEWER")
    async with streaming(store, watch) as stub:
        watching = stub(b"", metadata=[("authorization", f"Bearer {key}")], timeout=20)
        await watching.read()
        await revoke_key(store, key_prefix=key[:17])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await watching.read()
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert details(refused.value)["ErrorInfo"].reason == "API_KEY_INVALID"


async def test_a_stream_goes_on_while_its_key_is_good(store: Store) -> None:
    key = await create_key(store, role="VIEWER")
    async with streaming(store, say_five_times) as stub:
        said = stub(b"", metadata=[("authorization", f"Bearer {key}")], timeout=20)
        assert len([each async for each in said]) == 5


async def test_a_stream_is_not_cut_off_while_nobody_can_be_asked_about_its_key_and_ends_after_that(
    postgres: Postgres, fresh_database_url: str
) -> None:
    async with Database(url=fresh_database_url) as database, streaming(Store(database), watch) as stub:
        key = await create_key(Store(database), role="VIEWER")
        watching = stub(b"", metadata=[("authorization", f"Bearer {key}")], timeout=20)
        await watching.read()
        reading = asyncio.ensure_future(watching.read())
        with closed(postgres, fresh_database_url):
            answered, _ = await asyncio.wait([reading], timeout=3 * SOON)
        assert not answered
        await revoke_key(Store(database), key_prefix=key[:17])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reading
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@asynccontextmanager
async def unreadable_keys(database_url: str) -> AsyncIterator[None]:
    """The database answers, but not to a question about keys: a failure that is no refusal."""
    async with Database(url=database_url) as database, database.connection() as connection:
        await connection.execute("ALTER TABLE api_keys RENAME TO hidden_keys")
        yield
        await connection.execute("ALTER TABLE hidden_keys RENAME TO api_keys")


async def test_a_stream_whose_key_could_not_be_checked_is_watched_on_and_the_log_holds_no_key(
    fresh_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database(url=fresh_database_url) as database, streaming(Store(database), watch) as stub:
        key = await create_key(Store(database), role="VIEWER")
        watching = stub(b"", metadata=[("authorization", f"Bearer {key}")], timeout=20)
        await watching.read()
        reading = asyncio.ensure_future(watching.read())
        async with unreadable_keys(fresh_database_url):
            await eventually(lambda: "could not be checked" in caplog.text, timeout=10)
        assert not reading.done()
        await revoke_key(Store(database), key_prefix=key[:17])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await reading
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    told = "".join(f"{vars(record)}" for record in caplog.records)
    assert key not in told
    assert key_hash(key).hex() not in told


async def test_a_stream_whose_key_can_never_be_checked_ends_as_unavailable(fresh_database_url: str) -> None:
    async with Database(url=fresh_database_url) as database, streaming(Store(database), watch) as stub:
        key = await create_key(Store(database), role="VIEWER")
        watching = stub(b"", metadata=[("authorization", f"Bearer {key}")], timeout=20)
        await watching.read()
        async with unreadable_keys(fresh_database_url):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await watching.read()
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details(refused.value)["ErrorInfo"].reason == "API_KEY_UNCHECKED"


async def test_the_database_holds_no_key(store: Store, database_url: str) -> None:
    key = await create_key(store, role="ADMIN", display_name="the office")
    known = next(k for k in await list_keys(store) if k.key_prefix == key[:17])
    assert (known.role, known.display_name) == (Role.ADMIN, "the office")
    async with Database(url=database_url) as database, database.connection() as connection:
        rows = await connection.fetch("SELECT api_keys::text AS row FROM api_keys")
    assert not [row for row in rows if key[20:] in row["row"]]


async def test_health_is_open_and_reflection_needs_any_key(channel: grpc.aio.Channel, store: Store) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    ask = [reflection_pb2.ServerReflectionRequest(list_services="")]
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        _ = [reply async for reply in stub.ServerReflectionInfo(iter(ask))]
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    key = await create_key(store, role="VIEWER")
    told = [
        service.name
        async for reply in stub.ServerReflectionInfo(iter(ask), metadata=[("authorization", f"Bearer {key}")])
        for service in reply.list_services_response.service
    ]
    assert {f"chappe.v1.{name}Service" for name in SERVICES} < set(told)


async def test_channelz_is_off(channel: grpc.aio.Channel) -> None:
    stub: Stub = channel.unary_unary("/grpc.channelz.v1.Channelz/GetServers")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
