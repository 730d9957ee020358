"""Steady reads past the cache while its Redis is killed: none may fail, and the slowest stay near what they were."""

import asyncio
from typing import Any

import grpc

from core.clock import SystemClock
from tests.bench.calls import Load, calls_per_second
from tests.bench.paced import moments
from tests.bench.read.reads import Read, summed
from tests.bench.read.rows import Row
from tests.bench.read.servers import Served

CLOCK = SystemClock()
_CHANNELS = 4


def redis_killed(served: Served, port: int, uncached: int, read: Read, *, seconds: float) -> list[Row]:
    """Calls at half of the most there is without a cache, kills Redis in the middle, and compares both halves."""
    load = Load(method=read.method, request=read.request, key=served.key, calls=2000)
    rate = calls_per_second(load, uncached) / 2
    before, after, failures = asyncio.run(_steady(served, port, read, rate=rate, seconds=seconds))
    ratio = after.p99 / before.p99
    text = f"p99 {before.p99:.1f} ms, then {after.p99:.1f} ms, at {rate:,.0f}/s"
    return [
        Row(name="calls that failed while Redis was killed", figure=failures, text="", most=0),
        Row(name="p99 without Redis beside with it", figure=ratio, text=text, most=2.0),
    ]


async def _steady(served: Served, port: int, read: Read, *, rate: float, seconds: float) -> tuple[Any, Any, int]:
    metadata = (("authorization", f"Bearer {served.key}"), ("cache-control", "no-cache"))
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) for _ in range(_CHANNELS)]
    asks: list[Any] = [channel.unary_unary(read.method) for channel in channels]
    spent: tuple[list[float], list[float]] = ([], [])
    failures = 0

    async def call(number: int, half: int, due: float) -> None:
        nonlocal failures
        try:
            await asks[number % _CHANNELS](read.request, metadata=metadata, timeout=10)
        except grpc.aio.AioRpcError:
            failures += 1
        spent[half].append(CLOCK.monotonic() - due)

    running: list[asyncio.Task[None]] = []
    total = int(rate * seconds)
    async for due in moments(total, rate=rate):
        number = len(running)
        if number == total // 2:
            served.cache.process.kill()
        running.append(asyncio.create_task(call(number, int(number >= total // 2), due)))
    await asyncio.gather(*running)
    for channel in channels:
        await channel.close()
    return summed(spent[0]), summed(spent[1]), failures
