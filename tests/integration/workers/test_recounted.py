"""The keeper has counters compared with rows, and says aloud where they differ; it mends nothing."""

import asyncio
import logging
from functools import partial

import pytest

from core.domain.stats import DEPLOYMENT
from tests.helpers.eventually import eventually
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.workers import busy_worker, idle_worker
from workers.keeper import Keeper
from workers.scouts import Seldom
from workers.tasks.recounts import recount_next


async def test_a_worker_compares_what_was_not_compared_for_long_and_shows_the_difference(
    fresh_database_url: str, worker_settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with planned(fresh_database_url, numbers(3)) as plan:
        await plan.connection.execute("UPDATE campaigns SET state = 'PAUSED'")
        await plan.connection.execute("UPDATE counters SET count = count + 2 WHERE scope_id = $1", plan.campaign_id)
        # Only the campaign is due.
        await plan.connection.execute("INSERT INTO recounts VALUES ($1, now())", DEPLOYMENT)
        with caplog.at_level(logging.ERROR):
            async with busy_worker(worker_settings):
                await eventually(partial(_drift, plan), 20)
        assert (
            await plan.connection.fetchval("SELECT sum(count) FROM counters WHERE scope_id = $1", plan.campaign_id) == 5
        )
    (record,) = [record for record in caplog.records if "counters differ from rows" in record.getMessage()]
    assert vars(record)["count"] == 2


async def test_while_one_comparison_takes_long_no_other_is_taken_and_forgotten(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        scout = Seldom(worker.engine, recount_next, name="recount", seconds=0)
        keeper = Keeper(engine=worker.engine, scouts=(scout,), chores=())
        async with plan.connection.transaction():  # type: ignore[attr-defined]  # a pool's connection has more
            await plan.connection.execute("LOCK TABLE counters")
            await keeper.tick()
            await eventually(partial(_taken, plan, 1), 20)
            await keeper.tick()
            await keeper.tick()
            assert await _taken(plan, 1)
        await eventually(partial(_next_is_taken, keeper, plan), 20)


async def test_a_stop_does_not_wait_for_a_comparison(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        scout = Seldom(worker.engine, recount_next, name="recount", seconds=0)
        keeper = Keeper(engine=worker.engine, scouts=(scout,), chores=())
        async with plan.connection.transaction():  # type: ignore[attr-defined]  # a pool's connection has more
            await plan.connection.execute("LOCK TABLE counters")
            running = asyncio.create_task(keeper.run())
            await eventually(partial(_taken, plan, 1), 20)
            worker.engine.stopping.set()
            await asyncio.wait_for(running, 10)


async def _next_is_taken(keeper: Keeper, plan: Plan) -> bool:
    await keeper.tick()
    return await _taken(plan, 2)


async def _taken(plan: Plan, count: int) -> bool:
    return bool(await plan.connection.fetchval("SELECT count(*) FROM recounts") == count)


async def _drift(plan: Plan) -> int:
    found = "SELECT difference_count FROM recounts WHERE scope_id = $1"
    return int(await plan.connection.fetchval(found, plan.campaign_id) or 0)
