"""Fair shares: between the campaigns of one number, and between the numbers of one worker."""

from functools import partial
from uuid import UUID

from tests.helpers.eventually import eventually
from tests.helpers.rivals import accepted, add_other_sender, add_rival, seconds_to_last_accept
from tests.helpers.sending import CLOCK, SENDER, Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker, idle_worker, pump_out

_HANGING = {"CHAPPE_WORKER_CONCURRENCY": "40", "CHAPPE_WHATSAPP_TIMEOUT_SECONDS": "10"}


async def _has(plan: Plan, campaign_id: UUID, count: int) -> bool:
    return await accepted(plan, campaign_id) >= count


async def test_two_equal_campaigns_of_one_number_end_about_together(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with (
        planned(fresh_database_url, numbers(200), per_second=100) as plan,
        idle_worker(worker_settings) as worker,
    ):
        rival = await add_rival(plan, 200)
        await pump_out(worker, plan.sender_id)
        assert await plan.states() == {"ACCEPTED": 400}
        ends = [await seconds_to_last_accept(plan, one) for one in (plan.campaign_id, rival)]
        assert max(ends) > 3
        assert abs(ends[0] - ends[1]) < 0.5


async def test_a_small_campaign_of_ten_takes_its_share_from_the_first_second(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(500), per_second=100) as plan, busy_worker(worker_settings):
        for _ in range(8):
            await add_rival(plan, 100)
        await eventually(partial(_has, plan, plan.campaign_id, 20), 20)
        small, began = await add_rival(plan, 10), CLOCK.monotonic()
        await eventually(partial(_has, plan, small, 10), 10)
        # A tenth of 100 a second, and what was claimed before.
        assert CLOCK.monotonic() - began < 2.5


async def test_a_number_whose_calls_hang_leaves_the_other_its_full_pace(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    simulator = whatsapp_and_url[0]
    await simulator.add_rule(endpoint="messages", action="delay", seconds=25, phone_number_id=SENDER)
    async with planned(fresh_database_url, numbers(300)) as plan, busy_worker(worker_settings, **_HANGING):
        await eventually(lambda: _hangs(simulator, 30), 20, message="the calls of the first number hang")
        other = await add_other_sender(plan.connection, per_second=50)
        campaign = await add_rival(plan, 100, sender_id=other)
        await eventually(partial(_has, plan, campaign, 100), 10)
        assert await seconds_to_last_accept(plan, campaign) < 3


async def test_a_number_that_whatsapp_throttles_leaves_the_other_its_full_pace(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    simulator = whatsapp_and_url[0]
    await simulator.add_rule(endpoint="messages", action="refuse", code=130429, phone_number_id=SENDER)
    async with planned(fresh_database_url, numbers(300)) as plan, busy_worker(worker_settings):
        other = await add_other_sender(plan.connection, per_second=50)
        campaign = await add_rival(plan, 100, sender_id=other)
        await eventually(partial(_has, plan, campaign, 100), 10)
        assert await seconds_to_last_accept(plan, campaign) < 3
        assert await accepted(plan, plan.campaign_id) == 0


async def _hangs(simulator: WhatsApp, count: int) -> bool:
    return await simulator.accepted_count() >= count
