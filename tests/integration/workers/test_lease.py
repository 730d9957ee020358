"""The right to pump a number, as it goes from run to run, and what each run tells the next one of what it left."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from core.db import Database
from core.domain.arrivals import Arrivals, Left
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.workers import idle_worker
from workers.engine import Engine
from workers.lease import Lease
from workers.pump import pump_sender

_LIMIT = 100
_HANGING = 40
_CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%release_pump%'"""


async def test_a_word_whose_answer_comes_when_the_next_run_has_begun_makes_nothing_count_less(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    """What that run sends nobody was told: it must count on, however many others have sent since."""
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        arrivals = Arrivals(_LIMIT)
        first, left = await _begun(worker.engine, plan)
        turn = arrivals.take_over(left, now=CLOCK.monotonic())
        word = await first.release(arrivals.leave(now=CLOCK.monotonic(), longest=30.0))
        _, left = await _begun(worker.engine, plan)
        arrivals.take_over(left, now=CLOCK.monotonic())
        for _ in range(_HANGING):
            arrivals.depart(now=CLOCK.monotonic())
        arrivals.note_word(word, turn=turn)  # only now the answer is there
        await plan.connection.execute("UPDATE pumps SET lease_expire_time = now() - interval '1 second'")
        other, _ = await _begun(worker.engine, plan)
        await other.release([])
        _, left = await _begun(worker.engine, plan)
        arrivals.take_over(left, now=CLOCK.monotonic())
        assert _room(arrivals) <= _LIMIT - _HANGING


async def test_a_connection_cut_while_the_lease_is_released_lets_nobody_wait_for_its_end(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(1)) as plan,
        Database(url=fresh_database_url, pool_size=1) as database,
        idle_worker(worker_settings) as worker,
    ):
        run = asyncio.create_task(pump_sender(worker.engine, plan.sender_id))
        await eventually(partial(plan.all_are, "ACCEPTED"))
        async with database.transaction() as holder:
            await holder.fetchval("SELECT holder FROM pumps FOR UPDATE")
            # The run ends long before it would renew its lease: who waits for the row is about to release it.
            assert await eventually(lambda: plan.connection.fetchval(_CUT))
        await run
        assert await plan.connection.fetchval("SELECT holder = '' AND release_time IS NOT NULL FROM pumps")


async def test_a_lease_that_another_run_had_meanwhile_is_not_renewed(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    """What that one sent counts for the limit, and who was frozen meanwhile does not know of it."""
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        frozen, _ = await _begun(worker.engine, plan)
        frozen.keep()
        await plan.connection.execute("UPDATE pumps SET lease_expire_time = now() - interval '1 second'")
        other, _ = await _begun(worker.engine, plan)
        await other.release([1.0] * _HANGING)
        await eventually(frozen.over.is_set)
        await frozen.stop_keeping()
        assert not frozen.holds(CLOCK.monotonic())
        assert await plan.connection.fetchval("SELECT holder = '' FROM pumps")


@pytest.mark.parametrize(("seconds", "holds"), [(-3600.0, True), (8.0, True), (9.0, False), (3600.0, False)])
async def test_a_lease_ends_by_the_clock_that_says_so_first(
    fresh_database_url: str, worker_settings: dict[str, str], seconds: float, holds: bool
) -> None:
    """Where a machine is paused as a whole, nothing that only counts seconds tells that others sent meanwhile."""
    clock = StillClock()
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        lease, _ = await _begun(replace(worker.engine, clock=clock), plan)
        clock.set_forward(seconds)
        assert lease.holds(clock.monotonic()) == holds
        clock.move(8.5)
        assert not lease.holds(clock.monotonic())


async def _begun(engine: Engine, plan: Plan) -> tuple[Lease, Left]:
    """Takes the lease as a run does."""
    lease = Lease(engine=engine, sender_id=plan.sender_id)
    left = await lease.take()
    assert left is not None
    return lease, left


def _room(arrivals: Arrivals) -> int:
    """Counts how many may depart at once."""
    count, now = 0, CLOCK.monotonic()
    while arrivals.opening(now=now) <= now:
        arrivals.depart(now=now)
        count += 1
    return count
