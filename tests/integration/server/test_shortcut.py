"""What a process remembers takes a short way past the chain, and says and counts what the chain would."""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import grpc
import pytest
from chappe.v1 import categories_pb2, categories_pb2_grpc
from grpc_health.v1 import _async as health_aio
from prometheus_client import CollectorRegistry

from core.cache import Cache
from core.clock import SystemClock
from core.db import Database
from core.metrics import RpcMetrics
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import build_server, interceptors, offered
from server.call import Call
from server.interceptors.base import Proceed
from server.interceptors.deadline import Deadline
from server.keys import create_key, revoke_key
from server.mutations import Mutations
from server.services.categories import CategoriesService
from tests.helpers.clocks import StillClock
from tests.helpers.doors import Around, call, listening

METHOD = "/chappe.v1.CategoriesService/ListCategories"
REQUEST = categories_pb2.ListCategoriesRequest()


@dataclass
class World:
    """Holds a server whose chain notes the calls that pass it."""

    channel: grpc.aio.Channel
    store: Store
    clock: StillClock
    cache: Cache
    registry: CollectorRegistry
    passed: list[str]

    async def read(self, key: str, **headers: str) -> dict[str, str]:
        metadata = [("authorization", f"Bearer {key}")] if key else []
        metadata += [(name.replace("_", "-"), value) for name, value in headers.items()]
        reply_type = categories_pb2.ListCategoriesResponse
        _, trailing = await call(self.channel, METHOD, REQUEST, reply_type, metadata=metadata)
        await self.cache.settle()
        return trailing

    async def refusal(self, key: str, **headers: str) -> grpc.StatusCode:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.read(key, **headers)
        return refused.value.code()

    @property
    def count(self) -> float | None:
        labels = {"method": METHOD, "code": "OK"}
        return self.registry.get_sample_value("chappe_rpc_duration_seconds_count", labels)


@pytest.fixture
async def world(database_url: str, cache_url: str) -> AsyncIterator[World]:
    clock, settings, registry, passed = StillClock(SystemClock().now()), Settings(), CollectorRegistry(), list[str]()

    async def note(call: Call, proceed: Proceed) -> bytes:
        passed.append(call.method)
        return await proceed()

    async with Database(url=database_url) as database, Cache(url=cache_url, clock=clock, timeout_seconds=2) as cache:
        store = Store(database)
        chain = interceptors(
            settings=settings, clock=clock, store=store, cache=cache, deadline=Deadline(default_seconds=10),
            metrics=RpcMetrics(registry),
        )  # fmt: skip
        service = CategoriesService(store=store, mutations=Mutations(store=store), clock=clock)
        offers = [offered(categories_pb2_grpc, "CategoriesService", service)]
        health = health_aio.HealthServicer()
        server = build_server(offers, [Around(note), *chain], health_servicer=health, settings=settings)
        async with listening(server) as channel:
            yield World(channel, store, clock, cache, registry, passed)


async def test_a_remembered_reply_passes_no_chain_and_is_told_and_counted_all_the_same(world: World) -> None:
    key = await create_key(world.store, role="VIEWER")
    assert (await world.read(key))["chappe-cache"] == "miss"
    assert "x-request-id" not in await world.read(key)  # no line of a log has one either
    told = await world.read(key, x_request_id="order-4711.2")
    assert (told["chappe-cache"], told["x-request-id"]) == ("hit", "order-4711.2")
    assert len((await world.read(key, x_request_id="odd one"))["x-request-id"]) == 32
    assert len(world.passed) == 1
    assert world.count == 4
    counts = world.cache.metrics.snapshot().methods[0]
    assert (counts.hit, counts.miss, counts.levels[0].hit, counts.levels[0].miss) == (3, 1, 3, 1)


async def test_while_hits_get_a_log_line_they_pass_the_chain(world: World, caplog: pytest.LogCaptureFixture) -> None:
    key = await create_key(world.store, role="VIEWER")
    await world.read(key)
    with caplog.at_level(logging.DEBUG, logger="server.interceptors.telemetry"):
        assert (await world.read(key))["chappe-cache"] == "hit"
    told = [vars(record)["cache"] for record in caplog.records if record.name == "server.interceptors.telemetry"]
    assert (told[-1], len(world.passed), world.count) == ("hit", 2, 2)


async def test_nobody_is_shown_what_others_may_see(world: World) -> None:
    key = await create_key(world.store, role="VIEWER")
    await world.read(key)
    assert await world.refusal("") is grpc.StatusCode.UNAUTHENTICATED
    assert await world.refusal("unknown") is grpc.StatusCode.UNAUTHENTICATED
    await revoke_key(world.store, key_prefix=key[:17])
    world.clock.move(11)  # so long a verdict is remembered
    assert await world.refusal(key) is grpc.StatusCode.UNAUTHENTICATED
    assert len(world.passed) == 4


async def test_of_two_keys_the_first_counts_as_in_the_chain(world: World) -> None:
    key = await create_key(world.store, role="VIEWER")
    await world.read(key)
    assert (await world.read(key, authorization="Bearer unknown"))["chappe-cache"] == "hit"
    assert await world.refusal("unknown", authorization=f"Bearer {key}") is grpc.StatusCode.UNAUTHENTICATED


async def test_a_key_that_expires_while_it_is_remembered_opens_nothing(world: World) -> None:
    expire_time = world.clock.now() + timedelta(seconds=5)
    key = await create_key(world.store, role="VIEWER", expire_time=expire_time)
    await world.read(key)
    assert (await world.read(key))["chappe-cache"] == "hit"
    world.clock.move(6)
    assert await world.refusal(key) is grpc.StatusCode.UNAUTHENTICATED


async def test_a_caller_who_wants_no_cache_or_knows_of_a_later_write_is_shown_nothing_kept(world: World) -> None:
    key = await create_key(world.store, role="VIEWER")
    await world.read(key)
    assert (await world.read(key, cache_control="no-cache"))["chappe-cache"] == "bypass"
    assert (await world.read(key, chappe_generations=f"categories={2**62}"))["chappe-cache"] == "bypass"
    assert len(world.passed) == 3
