"""Asks for the same page over HTTP/1.1 over and over, with as many requests open as the gRPC loads have."""

import asyncio
import shutil
from concurrent.futures import ProcessPoolExecutor

import aiohttp

from core.clock import SystemClock
from tests.bench.calls import OPEN_CALLS, rate_by_h2load

CLOCK = SystemClock()
_PROCESSES = 2


def gets_per_second(url: str, *, calls: int) -> float:
    """Asks and returns how many a second were answered; raises when one was not answered with 200."""
    if shutil.which("h2load"):
        return rate_by_h2load("--h1", "-c", str(OPEN_CALLS), url, calls=calls)
    with ProcessPoolExecutor(_PROCESSES) as pool:
        return sum(pool.map(_client, [(url, calls // _PROCESSES)] * _PROCESSES))


def _client(work: tuple[str, int]) -> float:
    url, calls = work
    return asyncio.run(_ask(url, calls))


async def _ask(url: str, calls: int) -> float:
    remaining = iter(range(calls))

    async def keep_asking(session: aiohttp.ClientSession) -> None:
        for _ in remaining:
            async with session.get(url, raise_for_status=True) as reply:
                await reply.read()

    limit = OPEN_CALLS // _PROCESSES
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=limit)) as session:
        begun = CLOCK.monotonic()
        await asyncio.gather(*(keep_asking(session) for _ in range(limit)))
        return calls / (CLOCK.monotonic() - begun)
