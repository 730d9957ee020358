"""The cache is left within a second, whatever its server does, and within three when it was not told of changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio as redis

from core.breaker import Breaker
from core.cache import Cache, telling
from core.cache.keys import generation_keys
from core.cache.server import Server
from core.clock import SystemClock
from core.settings import Settings
from stack.ports import Ports
from stack.valkey import CACHE, Valkey
from tests.helpers.eventually import eventually
from tests.helpers.processes import freeze, thaw
from tests.helpers.proxy import Proxy

_MORE_THAN_A_SOCKET_HOLDS = b"x" * (32 << 20)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    with Valkey(name="cache", directory=tmp_path, ports=Ports(), policy=CACHE) as valkey:
        yield valkey


async def test_it_is_left_while_its_server_stopped_in_the_middle_of_a_question(valkey: Valkey) -> None:
    clock = SystemClock()
    server = Server(url=valkey.url(), clock=clock, timeout_seconds=5, breaker=Breaker(clock=clock))
    script = server.script("return 1")
    assert await server.read_numbers(["cache:generation:x"]) == [None]
    assert await server.run(script, keys=["cache:x"], args=[b"x"]) is not None
    freeze(valkey.process)
    asked = asyncio.ensure_future(server.run(script, keys=["cache:x"], args=[_MORE_THAN_A_SOCKET_HOLDS]))
    await asyncio.wait([asked], timeout=0.2)
    start = clock.monotonic()
    await server.close()
    assert clock.monotonic() - start < 2
    thaw(valkey.process)
    await asked


@asynccontextmanager
async def remembering(url: str) -> AsyncIterator[Callable[[list[str]], None]]:
    """Owes as a server does, which keeps replies itself."""
    async with Cache(url=url, clock=SystemClock(), timeout_seconds=0.2) as cache:
        yield cache.owe


@asynccontextmanager
async def only_telling(url: str) -> AsyncIterator[Callable[[list[str]], None]]:
    """Owes as a worker does, or `chappe recount --repair`."""
    settings = Settings(cache_url=url, cache_timeout_seconds=0.2)
    async with telling(settings, clock=SystemClock()) as owe:
        assert owe is not None
        yield owe


@pytest.mark.parametrize("owing", [remembering, only_telling])
async def test_what_changed_last_is_told_to_a_server_that_comes_back_a_little_later(
    cache_url: str, owing: Callable[[str], AbstractAsyncContextManager[Callable[[list[str]], None]]]
) -> None:
    wire = Proxy(cache_url)
    await wire.open()
    wire.is_deaf = True

    async def change_and_leave() -> None:
        async with owing(wire.url) as owe:
            owe(["templates"])

    leaving = asyncio.ensure_future(change_and_leave())
    assert await eventually(lambda: wire.callers >= 3)
    wire.is_deaf = False
    await leaving
    await wire.close()
    async with redis.Redis.from_url(cache_url) as server:
        assert await server.exists(*generation_keys(["templates"]))


@pytest.mark.parametrize("owing", [remembering, only_telling])
async def test_what_could_not_be_told_is_said_in_words(
    owing: Callable[[str], AbstractAsyncContextManager[Callable[[list[str]], None]]], caplog: pytest.LogCaptureFixture
) -> None:
    clock = SystemClock()
    start = clock.monotonic()
    async with owing("redis://127.0.0.1:1/0") as owe:
        owe(["templates", *(f"campaigns/{number}" for number in range(9))])
    assert clock.monotonic() - start < 3.5
    assert "may show what it kept before of campaigns/0, campaigns/1" in caplog.text
    assert "and 5 more" in caplog.text
