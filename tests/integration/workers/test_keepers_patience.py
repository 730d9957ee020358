"""When the keeper does what it rings for itself: once nobody comes, and not beside those who are at it."""

import logging
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.helpers.eventually import eventually
from tests.helpers.receiving import KEY, NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from workers.assembly import Worker
from workers.keeper import Keeper
from workers.scouts import scouts
from workers.tasks.receipts import apply_batch
from workers.tasks.urgent import UrgentLane

BODIES = 9
SAID = "nobody came"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    """A message on its way, of which webhooks tell."""
    async with desk(fresh_database_url, numbers(1)) as made:
        yield made


@pytest.fixture
async def worker(worker_settings: dict[str, str]) -> AsyncIterator[Worker]:
    """A worker whose bell rings, and nobody listens."""
    async with idle_worker(worker_settings) as made:
        yield made


async def _wait(at: Desk, *, urgent: bool) -> None:
    (ref,) = await at.sent()
    read = body(statuses=[status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)])
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([read] * BODIES, urgent=[urgent] * BODIES)


@pytest.mark.parametrize("urgent", [False, True])
async def test_while_others_come_to_what_waits_the_keeper_only_rings_however_long_it_takes(
    at: Desk, worker: Worker, caplog: pytest.LogCaptureFixture, *, urgent: bool
) -> None:
    await _wait(at, urgent=urgent)
    keeper = Keeper(engine=worker.engine, scouts=scouts(worker.engine), chores=())
    with caplog.at_level(logging.INFO):
        for left in range(BODIES, 1, -1):
            await keeper.tick()
            assert await _waiting(at) == left
            if urgent:
                await UrgentLane(at.store, now=NOW, hash_key=KEY).take_turn(limit=1)
            else:
                await apply_batch(at.store, now=NOW, hash_key=KEY, limit=1)
    assert SAID not in caplog.text


@pytest.mark.parametrize("urgent", [False, True])
async def test_what_nobody_comes_to_for_five_rounds_the_keeper_does_itself_and_what_comes_then_a_round_later(
    at: Desk, worker: Worker, caplog: pytest.LogCaptureFixture, *, urgent: bool
) -> None:
    await _wait(at, urgent=urgent)
    keeper = Keeper(engine=worker.engine, scouts=scouts(worker.engine), chores=())
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            await keeper.tick()
        assert SAID not in caplog.text
        await keeper.tick()
        assert SAID in caplog.text
        await eventually(partial(_is_done, at))
        caplog.clear()
        await _wait(at, urgent=urgent)
        await keeper.tick()
        assert SAID not in caplog.text
        await keeper.tick()
        assert SAID in caplog.text
    await eventually(partial(_is_done, at))


async def _waiting(at: Desk) -> int:
    return int(await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL"))


async def _is_done(at: Desk) -> bool:
    return await _waiting(at) == 0
