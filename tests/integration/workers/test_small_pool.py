"""A worker whose keeper would wait for ever for a connection says so when it starts."""

from functools import partial

import pytest

from core.settings import SettingsError
from tests.helpers.eventually import eventually
from tests.helpers.sending import numbers, planned
from tests.helpers.workers import busy_worker, idle_worker


@pytest.mark.parametrize("count", ["1", "2"])
async def test_a_worker_that_may_open_too_few_connections_does_not_start(
    worker_settings: dict[str, str], count: str
) -> None:
    with pytest.raises(SettingsError, match="CHAPPE_DATABASE_POOL_SIZE must be 3 or more"):
        async with idle_worker(worker_settings, CHAPPE_DATABASE_POOL_SIZE=count):
            pass


async def test_with_the_fewest_connections_that_are_enough_a_campaign_is_sent_and_completed(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(20)) as plan:
        async with busy_worker(worker_settings, CHAPPE_DATABASE_POOL_SIZE="3"):
            is_completed = partial(plan.connection.fetchval, "SELECT state = 'COMPLETED' FROM campaigns")
            await eventually(is_completed, 20)
        assert await plan.all_are("ACCEPTED")
