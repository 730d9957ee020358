"""The metrics door answers three addresses: what is measured, whether the process lives, whether calls may come."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from core.clock import SystemClock
from core.health import Check, LoopLag, Readiness
from core.listener import Listener
from core.metrics import RpcMetrics
from core.metrics_door import App
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.watching import Watched


async def answers() -> None:
    """Answers at once."""


async def is_away() -> None:
    raise ConnectionError


async def hangs() -> None:
    await asyncio.Event().wait()


def untold(_seconds: float) -> None:
    """Takes a lag nobody asks for."""


@asynccontextmanager
async def watched(
    *,
    needed: Check = answers,
    wanted: Check = answers,
    draining: bool = False,
    lag: LoopLag | None = None,
    registry: CollectorRegistry | None = None,
) -> AsyncIterator[Watched]:
    readiness = Readiness(needed={"database": needed}, wanted={"cache": wanted}, is_draining=lambda: draining)
    app = App(
        registry=registry or CollectorRegistry(),
        lag=lag or LoopLag(clock=SystemClock(), observe=untold),
        readiness=readiness,
    )
    listener = Listener(app=app, host="127.0.0.1", port=0, grace_seconds=1)
    try:
        yield Watched(await listener.open())
    finally:
        await listener.close()


async def test_a_process_is_ready_while_all_it_needs_answers() -> None:
    async with watched() as door:
        assert await door.ask("/readyz") == (200, {"state": "ready", "missing": [], "degraded": []})
    async with watched(needed=is_away) as door:
        assert await door.ask("/readyz") == (503, {"state": "not ready", "missing": ["database"], "degraded": []})


async def test_what_is_only_wanted_degrades_and_what_hangs_is_away() -> None:
    async with watched(wanted=hangs) as door:
        assert await door.ask("/readyz") == (200, {"state": "ready", "missing": [], "degraded": ["cache"]})


async def test_a_draining_process_is_not_ready() -> None:
    async with watched(draining=True) as door:
        assert await door.ask("/readyz") == (503, {"state": "draining", "missing": [], "degraded": []})


async def test_a_loop_that_came_five_seconds_late_is_not_alive() -> None:
    lag = LoopLag(clock=SystemClock(), observe=untold)
    async with watched(lag=lag) as door:
        assert (await door.ask("/healthz"))[0] == 200
        lag.seconds = 5.5
        assert await door.ask("/healthz") == (503, {"loop_lag_seconds": 5.5})


async def test_how_late_the_loop_comes_is_measured_all_the_time() -> None:
    clock, told = StillClock(), list[float]()
    async with LoopLag(clock=clock, observe=told.append):
        await eventually(lambda: told == [0.0])
        clock.move(6.0)
        await eventually(lambda: len(told) > 1 and max(told) == pytest.approx(5.75))


async def test_calls_are_counted_by_method_and_code_with_their_seconds() -> None:
    registry = CollectorRegistry()
    metrics = RpcMetrics(registry)
    for seconds in (0.004, 0.3):
        metrics.ended("/chappe.v1.StatsService/GetDashboard", "OK", seconds)
    metrics.ended("/chappe.v1.StatsService/GetDashboard", "UNAVAILABLE", 0.1)
    async with watched(registry=registry) as door:
        assert await door.value("chappe_rpc_duration_seconds_count", code="OK") == 2
        assert await door.value("chappe_rpc_duration_seconds_bucket", code="OK", le="0.005") == 1
        assert await door.value("chappe_rpc_duration_seconds_sum", code="UNAVAILABLE") == 0.1


async def test_there_is_nothing_else_behind_the_door() -> None:
    async with watched() as door:
        assert (await door.ask("/"))[0] == 404
        assert (await door.ask("/readyz", method="POST"))[0] == 405
