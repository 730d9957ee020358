"""What the three kinds of processes show of themselves, as processes with real servers behind them."""

import hmac
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import aiohttp
import grpc
import pytest
from chappe.v1 import categories_pb2, categories_pb2_grpc, stats_pb2, stats_service_pb2
from google.protobuf.message import Message

from core.cache.metrics import LEVELS, OUTCOMES
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack import programs
from stack.ports import Ports, is_free
from stack.process import Command, Process, StartError
from stack.ready import by_port_file
from tests.helpers.doors import Reply, Stub
from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes, port_of
from tests.helpers.sending import numbers, planned
from tests.helpers.watching import Watched

_LIST = "/chappe.v1.CategoriesService/ListCategories"
_STATS = "/chappe.v1.StatsService/GetMessageStats"
BODY = b"{}"
SIGNED = {"x-hub-signature-256": "sha256=" + hmac.new(b"secret", BODY, "sha256").hexdigest()}
_SETTINGS = {"CHAPPE_GRPC_PORT": "0", "CHAPPE_WEBHOOKS_PORT": "0", "CHAPPE_WHATSAPP_APP_SECRET": "secret"}


@pytest.fixture
def settings(fresh_database_url: str, cache_url: str, queue_url: str) -> dict[str, str]:
    urls = {"CHAPPE_DATABASE_URL": fresh_database_url, "CHAPPE_CACHE_URL": cache_url, "CHAPPE_QUEUE_URL": queue_url}
    return {**urls, **_SETTINGS}


@pytest.fixture
def processes(settings: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    with Processes(directory=tmp_path, settings=settings) as started:
        yield started


@pytest.fixture
async def key(fresh_database_url: str) -> str:
    async with Database(url=fresh_database_url, pool_size=1) as database:
        return await create_key(Store(database), role="VIEWER")


def watched(processes: Processes, verb: str, **settings: str) -> tuple[Process, Watched]:
    port = Ports().take()
    given = {"CHAPPE_METRICS_PORT": str(port), **{f"CHAPPE_{name}": value for name, value in settings.items()}}
    return processes.start(verb, settings=given), Watched(port)


async def ask(process: Process, key: str, request: Message | None = None) -> Reply:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel:
        stub: Stub = channel.unary_unary(_STATS, response_deserializer=stats_pb2.MessageStats.FromString)
        sent = (request or stats_service_pb2.GetMessageStatsRequest()).SerializeToString()
        return await stub(sent, metadata=[("authorization", f"Bearer {key}")], timeout=5)


async def test_the_api_shows_its_calls_its_cache_and_its_pool(processes: Processes, key: str) -> None:
    process, door = watched(processes, "serve")
    for _ in range(3):
        await ask(process, key)
    with pytest.raises(grpc.aio.AioRpcError):
        await ask(process, "a key nobody made")
    assert await door.value("chappe_rpc_duration_seconds_count", method=_STATS, code="OK") == 3
    assert await door.value("chappe_rpc_duration_seconds_count", method=_STATS, code="UNAUTHENTICATED") == 1
    outcomes = {name: await door.value("chappe_cache_replies_total", outcome=name) for name in ("hit", "miss")}
    assert outcomes == {"hit": 2, "miss": 1}
    assert await door.value("chappe_pool_connections") == 1
    assert await door.value("chappe_pool_wait_seconds_count")
    await eventually(partial(door.value, "chappe_loop_lag_seconds_count"))
    assert await door.ask("/readyz") == (200, {"state": "ready", "missing": [], "degraded": []})


async def test_the_api_shows_what_each_level_of_its_cache_had(processes: Processes, fresh_database_url: str) -> None:
    process, door = watched(processes, "serve")
    async with Database(url=fresh_database_url, pool_size=1) as database:
        key = await create_key(Store(database), role="ADMIN")
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port_of(process)}") as channel:
        stub, metadata = categories_pb2_grpc.CategoriesServiceStub(channel), [("authorization", f"Bearer {key}")]
        create = categories_pb2.CreateCategoryRequest(category=categories_pb2.Category(display_name="Customers"))
        listing, past_cache = categories_pb2.ListCategoriesRequest(), ("cache-control", "no-cache")
        await stub.CreateCategory(create, metadata=metadata, timeout=5)
        for _ in range(2):
            kept = await stub.ListCategories(listing, metadata=metadata, timeout=5)
        await stub.ListCategories(listing, metadata=[*metadata, past_cache], timeout=5)
        create.category.display_name = "Others"
        await stub.CreateCategory(create, metadata=metadata, timeout=5)
        await stub.ListCategories(listing, metadata=metadata, timeout=5)
    replies = {name: await door.value("chappe_cache_replies_total", method=_LIST, outcome=name) for name in OUTCOMES}
    assert replies == {"hit": 1, "miss": 1, "stale": 1, "bypass": 1}
    looks = {
        level: {name: await door.value("chappe_cache_looks_total", level=level, outcome=name) for name in OUTCOMES}
        for level in LEVELS
    }
    # The second read comes while the first reply is being kept: one level has it.
    hits = {level: int(looks[level]["hit"] or 0) for level in LEVELS}
    assert sum(hits.values()) == 1
    assert looks["memory"]["bypass"] == looks["redis"]["bypass"] == 0
    # Memory is looked into each time; Redis by generation: what a write outdated is not there, or is there and old.
    assert sum(count or 0 for count in looks["memory"].values()) == 3
    assert sum(count or 0 for count in looks["redis"].values()) == 3 - hits["memory"]
    sizes = {level: await door.value("chappe_cache_hit_bytes_total", method=_LIST, level=level) for level in LEVELS}
    assert sizes == {level: count * kept.ByteSize() for level, count in hits.items()}


async def test_a_worker_shows_its_attempts_and_the_queue(
    processes: Processes, fresh_database_url: str, tmp_path: Path
) -> None:
    _, url = processes.start_simulator(settings={"SIMULATOR_PROFILE": "fast", "SIMULATOR_ACCESS_TOKEN": "test-token"})
    async with planned(fresh_database_url, numbers(20)) as plan:
        _, door = watched(processes, "worker", WHATSAPP_BASE_URL=url, WHATSAPP_ACCESS_TOKEN="test-token")
        await eventually(partial(plan.all_are, "ACCEPTED"), 20)
    assert await door.value("chappe_sends_total", result="ACCEPTED") == 20
    assert await door.value("chappe_cloud_api_duration_seconds_count") == 20
    await eventually(partial(_is, door, "chappe_queue_messages", 0.0, state="due"), 15)
    assert "+49" not in await door.text()


async def _is(door: Watched, name: str, expected: float, **labels: str) -> bool:
    return await door.value(name, **labels) == expected


async def test_the_webhook_door_shows_its_answers_and_its_commits(processes: Processes) -> None:
    process, door = watched(processes, "webhooks")
    url = f"http://127.0.0.1:{port_of(process)}/webhooks/whatsapp"
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"x-hub-signature-256": "sha256=" + "0" * 64}):
            async with session.post(url, data=BODY, headers=headers) as reply:
                assert reply.status in {401, 403}
        async with session.post(url, data=BODY, headers=SIGNED) as reply:
            assert reply.status == 200
    statuses = {status: await door.value("chappe_webhooks_total", status=status) for status in ("200", "401", "403")}
    assert statuses == {"200": 1, "401": 1, "403": 1}
    assert await door.value("chappe_webhook_signature_failures_total") == 2
    assert await door.value("chappe_webhook_commit_seconds_count") == 1


async def test_without_its_redis_the_api_is_degraded_and_still_ready(processes: Processes) -> None:
    _, door = watched(processes, "serve", QUEUE_URL="redis://127.0.0.1:1/0")
    assert await door.ask("/readyz") == (200, {"state": "ready", "missing": [], "degraded": ["queue"]})


async def test_each_process_of_a_group_is_watched_on_a_port_of_its_own(
    settings: dict[str, str], tmp_path: Path, key: str
) -> None:
    first = next(port for port in iter(Ports().take, None) if is_free(port + 1))
    port_file = tmp_path / "group.port"
    given = {**settings, "CHAPPE_METRICS_PORT": str(first), "CHAPPE_PORT_FILE": str(port_file)}
    command = Command(
        name="group",
        argv=(sys.executable, "-m", "server", "--processes", "2"),
        log_file=tmp_path / "group.log",
        ready=by_port_file(port_file),
        port_file=port_file,
        env=programs.environment(given),
    )
    with Process(command) as group:
        await ask(group, key)
        doors = Watched(first), Watched(first + 1)
        counts = [await door.value("chappe_rpc_duration_seconds_count", code="OK") for door in doors]
    assert sorted(count or 0 for count in counts) == [0, 1]


async def test_a_taken_metrics_port_is_named(processes: Processes) -> None:
    _, door = watched(processes, "webhooks")
    for verb in ("serve", "worker"):
        with pytest.raises(StartError, match="CHAPPE_METRICS_PORT"):
            processes.start(verb, name=f"second-{verb}", settings={"CHAPPE_METRICS_PORT": str(door.port)})
