"""How late work begins while the server that the bell stands on is gone, or takes connections and answers nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import pytest

from core.queue.wakeups import Wakeups
from stack.ports import Ports
from stack.valkey import QUEUE, Valkey
from tests.helpers.campaign_rows import add_sender
from tests.helpers.eventually import eventually
from tests.helpers.frozen import frozen
from tests.helpers.rivals import add_rival
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.servers import temporary_directory
from tests.helpers.workers import busy_worker
from workers.assembly import Worker

_SENDERS = 40
Away = Callable[[Valkey], AbstractContextManager[None]]


@contextmanager
def killed(server: Valkey) -> Iterator[None]:
    """Takes the server away: nobody takes connections."""
    server.process.kill()
    try:
        yield
    finally:
        server.process.start()


away = pytest.mark.parametrize("taken", [killed, frozen])


@pytest.fixture
def bell_server() -> Iterator[Valkey]:
    """A queue's server of the test's own."""
    with (
        temporary_directory() as directory,
        Valkey(name="queue", directory=directory, ports=Ports(), policy=QUEUE) as server,
    ):
        yield server


@pytest.fixture
async def plan(fresh_database_url: str) -> AsyncIterator[Plan]:
    """One number that has a message to send."""
    async with planned(fresh_database_url, numbers(1)) as made:
        yield made


@away
async def test_a_dead_bell_is_waited_for_once_not_by_every_ring_and_rings_again_when_it_is_back(
    bell_server: Valkey, plan: Plan, taken: Away
) -> None:
    wakeups = Wakeups.connect(bell_server.url(), clock=CLOCK)
    try:
        assert await wakeups.pump_sender(plan.sender_id)
        with taken(bell_server):
            began = CLOCK.monotonic()
            rung = [await wakeups.pump_sender(plan.sender_id) for _ in range(_SENDERS)]
            assert not any(rung)
            assert wakeups.lost_count == _SENDERS
            # Half a second for the server that says nothing, and next to nothing for the memory of it.
            assert CLOCK.monotonic() - began < 0.9
        await eventually(lambda: wakeups.pump_sender(plan.sender_id), 5, message="the bell rings again")
    finally:
        await wakeups.close()


async def test_one_of_many_finds_out_whether_a_bell_that_says_nothing_is_back(bell_server: Valkey) -> None:
    wakeups = Wakeups.connect(bell_server.url(), clock=CLOCK)
    try:
        with frozen(bell_server):
            assert not await wakeups.apply_deliveries()
            waits = await eventually(lambda: _long_waits(wakeups), 5, message="the bell is tried again")
            assert len(waits) == 1
    finally:
        await wakeups.close()


@away
async def test_without_a_bell_the_work_of_forty_numbers_begins_within_a_few_seconds(
    bell_server: Valkey, plan: Plan, worker_settings: dict[str, str], taken: Away
) -> None:
    # Nobody is there to send to: it is enough that each number's pump begins.
    given = {
        **worker_settings,
        "CHAPPE_QUEUE_URL": bell_server.url(),
        "CHAPPE_WHATSAPP_BASE_URL": "http://127.0.0.1:1",
    }
    async with busy_worker(given) as worker:
        await eventually(partial(_rings, worker, plan), 10, message="the worker's bell rings")
        with taken(bell_server):
            began = CLOCK.monotonic()
            await _plan_for_others(plan)
            await eventually(partial(_all_began, plan), 40, message="all pumps have begun")
            # A round each second, in which the dead bell is waited for for half a second at most.
            assert CLOCK.monotonic() - began < 6


async def _long_waits(wakeups: Wakeups) -> list[float]:
    """Rings many times at once; returns the seconds of those that waited for the server."""

    async def ring() -> float:
        began = CLOCK.monotonic()
        await wakeups.apply_deliveries()
        return CLOCK.monotonic() - began

    return [seconds for seconds in await asyncio.gather(*(ring() for _ in range(10))) if seconds > 0.2]


async def _plan_for_others(plan: Plan) -> None:
    """Gives many numbers a due message each."""
    for number in range(_SENDERS):
        sender_id = await add_sender(plan.connection, phone_number_id=f"3{number:05d}", account=f"4{number:05d}")
        await add_rival(plan, 1, sender_id=sender_id)
    await plan.connection.execute("UPDATE senders SET refresh_time = now()")


async def _rings(worker: Worker, plan: Plan) -> bool:
    return await worker.engine.wakeups.pump_sender(plan.sender_id)


async def _all_began(plan: Plan) -> bool:
    return bool(await plan.connection.fetchval("SELECT count(DISTINCT sender_id) > $1 FROM pumps", _SENDERS))
