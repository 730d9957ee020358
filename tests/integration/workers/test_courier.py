"""The last look before a call: a process may have been frozen since the one before."""

from dataclasses import replace

import pytest

from core.domain.outcomes import Accepted, NotSent
from core.pace import Lane
from core.whatsapp.credentials import access_token
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker
from workers.claimer import Claimer
from workers.courier import Courier
from workers.engine import Engine
from workers.lease import Lease
from workers.parcels import Batch, Parcel
from workers.settler import Settler


@pytest.mark.parametrize(("seconds", "answer"), [(0.0, NotSent), (30.0, Accepted)])
async def test_what_has_become_stale_since_it_was_let_go_does_not_leave(
    fresh_database_url: str,
    worker_settings: dict[str, str],
    whatsapp_and_url: tuple[WhatsApp, str],
    seconds: float,
    answer: type,
) -> None:
    """Its campaign may be paused since, and its contact opted out."""
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        courier = await _courier(worker.engine, plan)
        parcel = await _claimed(worker.engine, plan)
        stale_time = CLOCK.monotonic() + seconds
        assert isinstance(await courier.deliver(replace(parcel, stale_time=stale_time)), answer)
        assert await whatsapp_and_url[0].accepted_count() == (answer is Accepted)


async def _courier(engine: Engine, plan: Plan) -> Courier:
    """Returns the courier of a run that has its lease."""
    lease = Lease(engine=engine, sender_id=plan.sender_id)
    assert await lease.take() is not None
    async with engine.store.connection() as rooms:
        sender = await rooms.pumps.get_pumped_sender(plan.sender_id)
    assert sender is not None
    token = access_token(engine.settings, sender.credential_reference)
    return Courier(engine=engine, sender=sender, token=token, lease=lease)


async def _claimed(engine: Engine, plan: Plan) -> Parcel:
    """Returns the one message that is due."""
    settler, lane = Settler(engine), Lane.of_sender(plan.sender_id, 20.0)
    batch = await Claimer(engine=engine, sender_id=plan.sender_id, lane=lane, settler=settler).next_batch()
    await settler.close()
    assert isinstance(batch, Batch)
    (parcel,) = batch.parcels
    return parcel
