"""Numbers with fewer slots in a batch than campaigns: none of these waits while others have slot after slot."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest

from core.pace import Lane
from core.repositories.rooms import Store
from tests.helpers.rivals import accepted, add_rival
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.statements import CountingDatabase
from tests.helpers.workers import idle_worker, pump_out
from workers.assembly import Worker
from workers.claimer import Claimer
from workers.parcels import Batch, NotYet
from workers.settler import Settler
from workers.waiting import rest

_DUE = 40


class Run:
    """A run's claims alone: nothing that it claims leaves."""

    def __init__(self, worker: Worker, plan: Plan, *, per_second: float) -> None:
        lane = Lane.of_sender(plan.sender_id, per_second)
        self._stopping = worker.engine.stopping
        self._settler = Settler(worker.engine)
        self._claimer = Claimer(engine=worker.engine, sender_id=plan.sender_id, lane=lane, settler=self._settler)

    async def served(self, batches: int) -> Counter[UUID]:
        """Claims so many batches; returns how many slots each campaign had."""
        slots: Counter[UUID] = Counter()
        while batches:
            match await self._claimer.next_batch():
                case Batch(parcels=parcels):
                    slots.update(parcel.campaign.id for parcel in parcels)
                    batches -= 1
                case NotYet(seconds=seconds):
                    await rest(self._stopping, seconds)
                case None:
                    raise AssertionError("nothing is due")
        await self._settler.close()
        return slots


async def _three_of_which_one_has_a_pace(plan: Plan, per_second: float = 1000) -> list[UUID]:
    """Returns three campaigns with plenty to send; the second one has a pace of its own."""
    campaigns = [plan.campaign_id, await add_rival(plan, _DUE), await add_rival(plan, _DUE)]
    await plan.connection.execute(
        "UPDATE campaigns SET messages_per_second = $2 WHERE id = $1", campaigns[1], per_second
    )
    return campaigns


@pytest.mark.parametrize("per_second", [5, 10])
async def test_with_fewer_slots_than_campaigns_each_has_its_part_also_beside_one_with_a_pace_of_its_own(
    fresh_database_url: str, worker_settings: dict[str, str], *, per_second: float
) -> None:
    async with planned(fresh_database_url, numbers(_DUE)) as plan, idle_worker(worker_settings) as worker:
        campaigns = await _three_of_which_one_has_a_pace(plan)
        served = await Run(worker, plan, per_second=per_second).served(9)
        # One slot a batch, or up to two.
        parts = [served[one] for one in campaigns]
        assert min(parts) >= 3
        assert max(parts) - min(parts) <= 1


async def test_runs_of_one_batch_serve_one_campaign_after_the_other(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(_DUE)) as plan, idle_worker(worker_settings) as worker:
        campaigns = await _three_of_which_one_has_a_pace(plan)
        served: Counter[UUID] = Counter()
        for _ in range(6):
            served += await Run(worker, plan, per_second=5).served(1)
        assert [served[one] for one in campaigns] == [2, 2, 2]


async def test_a_campaign_whose_own_pace_is_slow_keeps_to_it_and_leaves_the_rest_to_the_others_evenly(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(_DUE)) as plan, idle_worker(worker_settings) as worker:
        first, slow, third = await _three_of_which_one_has_a_pace(plan, 1.0)
        served = await Run(worker, plan, per_second=5).served(16)
        # Three seconds, in each of which it may send one, and waits for its turn for two slots at most.
        assert 2 <= served[slow] <= 4
        assert abs(served[first] - served[third]) <= 2


async def test_a_campaign_next_to_one_without_due_messages_has_no_more_slots_than_the_others(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(_DUE)) as plan, idle_worker(worker_settings) as worker:
        await add_rival(plan, 0)
        other = await add_rival(plan, _DUE)
        served = await Run(worker, plan, per_second=5).served(6)
        assert [served[one] for one in (plan.campaign_id, other)] == [3, 3]


async def test_campaigns_that_have_nothing_due_cost_a_slow_number_no_claim_each(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(_DUE)) as plan,
        idle_worker(worker_settings) as worker,
        CountingDatabase(url=fresh_database_url) as database,
    ):
        for _ in range(15):
            await add_rival(plan, 0)
        await add_rival(plan, _DUE)
        listened = replace(worker, engine=replace(worker.engine, store=Store(database)))
        await Run(listened, plan, per_second=5).served(4)
        # One claim a batch, and one more where a batch has two slots.
        assert database.statements.count("claim_messages") <= 5


async def test_a_slow_numbers_due_message_leaves_though_many_other_campaigns_run_and_have_none(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(1), per_second=5) as plan,
        idle_worker(worker_settings) as worker,
    ):
        for _ in range(15):
            await add_rival(plan, 0)
        await pump_out(worker, plan.sender_id)
        assert await accepted(plan, plan.campaign_id) == 1
