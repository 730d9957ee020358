"""A worker whose queue is NATS: it sends what the bell tells, and when NATS dies what the keeper finds."""

from tests.helpers.eventually import eventually
from tests.helpers.nats import nats
from tests.helpers.sending import numbers, planned
from tests.helpers.workers import busy_worker


async def test_a_worker_sends_by_the_bell_and_goes_on_when_nats_is_killed(
    fresh_database_url: str, queue_url: str, worker_settings: dict[str, str]
) -> None:
    with nats() as server:
        given = worker_settings | {"CHAPPE_QUEUE_URL": server.url, "CHAPPE_PACE_URL": queue_url}
        async with planned(fresh_database_url, numbers(20)) as plan, busy_worker(given) as worker:
            assert await worker.engine.wakeups.pump_sender(plan.sender_id)
            await eventually(lambda: plan.all_are("ACCEPTED"), 20)
            server.process.kill()
            await plan.connection.execute("UPDATE messages SET state = 'PENDING', attempt = 0")
            await eventually(lambda: plan.all_are("ACCEPTED"), 20)
