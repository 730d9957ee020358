"""What is too old to be asked for is deleted, however much of it there is; what is young or not applied stays."""

from functools import partial

from core.db import Connection
from tests.helpers.eventually import eventually
from tests.helpers.sending import numbers, planned
from tests.helpers.workers import busy_worker, idle_worker
from workers.tasks.upkeep import delete_old_rows

KEPT = "SELECT count(*) FROM webhook_deliveries"
FILL = """
    INSERT INTO webhook_deliveries (body, receive_time, apply_time)
    SELECT '{}', now() - interval '8 days', now() FROM generate_series(1, $1)"""

GIVE_FIRST_BACK = """
    UPDATE webhook_deliveries SET apply_time = NULL
    WHERE id = (SELECT id FROM webhook_deliveries ORDER BY id LIMIT 1)"""


async def test_more_than_one_page_of_old_bodies_goes_at_once_and_the_rest_stays(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute(FILL, 4100)
        await plan.connection.execute(GIVE_FIRST_BACK)
        await plan.connection.execute("INSERT INTO webhook_deliveries (body, apply_time) VALUES ('{}', now())")
        await delete_old_rows(worker.engine)
        assert await plan.connection.fetchval(KEPT) == 2


async def test_a_worker_deletes_them_by_itself(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan:
        await plan.connection.execute(FILL, 3)
        async with busy_worker(worker_settings):
            await eventually(partial(_are_gone, plan.connection), 20)


async def _are_gone(connection: Connection) -> bool:
    return bool(await connection.fetchval(KEPT) == 0)
