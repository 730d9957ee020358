"""One server process behind a real cache."""

from collections.abc import AsyncIterator

import grpc
import pytest

from core.cache import Cache
from core.clock import SystemClock
from tests.helpers.cached import Truth, process
from tests.helpers.proxy import Proxy


@pytest.fixture
def truth() -> Truth:
    return Truth()


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    async with Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as cache:
        yield cache


@pytest.fixture
async def proxy(cache_url: str) -> AsyncIterator[Proxy]:
    """The way to the cache's server, which can be cut, or made slow."""
    proxy = Proxy(cache_url)
    await proxy.open()
    yield proxy
    await proxy.close()


@pytest.fixture
async def channel(cache: Cache, truth: Truth) -> AsyncIterator[grpc.aio.Channel]:
    async with process(cache, truth) as channel:
        yield channel


@pytest.fixture
async def elsewhere(cache_url: str, truth: Truth) -> AsyncIterator[grpc.aio.Channel]:
    """Reaches another process, with a cache of its own on the same Valkey."""
    async with Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as other, process(other, truth) as channel:
        yield channel
