"""A number whose calls hang: its runs end all the same, and what they left on the wire is waited for beside them."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.helpers.eventually import eventually
from tests.helpers.raw_http import Act, raw_server
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.workers import busy_worker, idle_worker
from workers.pump import pump_sender

_MESSAGES, _PER_SECOND = 5, 20
_TIMEOUT_SECONDS = 12.0


@pytest.fixture
async def hung(worker_settings: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """A worker's settings with a socket that takes every request and answers none."""
    async with raw_server(*[_nothing()] * _MESSAGES) as server:
        yield {
            **worker_settings,
            "CHAPPE_WHATSAPP_BASE_URL": server.url,
            "CHAPPE_WHATSAPP_TIMEOUT_SECONDS": f"{_TIMEOUT_SECONDS:g}",
        }


def _nothing() -> Act:
    async def act(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    return act


async def test_a_run_ends_while_its_calls_hang_and_they_are_settled_all_the_same(
    fresh_database_url: str, hung: dict[str, str]
) -> None:
    began = CLOCK.monotonic()
    async with (
        planned(fresh_database_url, numbers(_MESSAGES), per_second=_PER_SECOND) as plan,
        idle_worker(hung) as worker,
    ):
        await pump_sender(worker.engine, plan.sender_id)
        assert CLOCK.monotonic() - began < _TIMEOUT_SECONDS * 0.7
        assert await plan.all_are("SENDING")
        assert await plan.connection.fetchval("SELECT holder = '' FROM pumps"), "another run may begin"
        await worker.engine.drains.finish()
        assert await plan.all_are("UNCONFIRMED")


async def test_a_stopping_worker_settles_what_its_runs_left_on_the_wire(
    fresh_database_url: str, hung: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(_MESSAGES), per_second=_PER_SECOND) as plan:
        async with busy_worker(hung):
            await eventually(lambda: _is_over(plan), 20, message="the run has ended, its calls hang")
            assert await plan.all_are("SENDING")
            stopped = CLOCK.monotonic()
        assert CLOCK.monotonic() - stopped < _TIMEOUT_SECONDS
        assert await plan.all_are("UNCONFIRMED")


async def _is_over(plan: Plan) -> bool:
    released = "SELECT count(*) > 0 FROM pumps WHERE holder = '' AND release_time IS NOT NULL"
    return bool(await plan.connection.fetchval(released))
