"""The keeper has counters compared with rows, and says aloud where they differ; it mends nothing."""

import logging
from functools import partial

import pytest

from core.domain.stats import DEPLOYMENT
from tests.helpers.eventually import eventually
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.workers import busy_worker


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


async def _drift(plan: Plan) -> int:
    found = "SELECT difference_count FROM recounts WHERE scope_id = $1"
    return int(await plan.connection.fetchval(found, plan.campaign_id) or 0)
