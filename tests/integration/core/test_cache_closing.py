"""The cache is left within a second, whatever its server does."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cache.breaker import Breaker
from core.cache.server import Server
from core.clock import SystemClock
from stack.ports import Ports
from stack.valkey import CACHE, Valkey
from tests.helpers.processes import freeze, thaw

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
