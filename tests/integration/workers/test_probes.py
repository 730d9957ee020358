"""A limit whose end nobody announces is probed with little, later and later; calls used up hold the whole account."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from core.pace import Lane
from tests.helpers.campaign_rows import add_campaign, add_sender
from tests.helpers.sending import ACCOUNT, Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker, pump_out
from workers.assembly import Worker
from workers.tasks.upkeep import resume_campaigns

HOURS = "SELECT round(extract(epoch FROM resume_time - pause_time) / 3600)::int FROM campaigns"


@pytest.fixture
async def plan(fresh_database_url: str) -> AsyncIterator[Plan]:
    async with planned(fresh_database_url, numbers(30)) as made:
        yield made


@pytest.fixture
async def worker(worker_settings: dict[str, str]) -> AsyncIterator[Worker]:
    async with idle_worker(worker_settings) as made:
        yield made


async def refuse(whatsapp: WhatsApp, code: int, **more: object) -> None:
    await whatsapp.add_rule(endpoint="messages", action="refuse", code=code, **more)


async def another(plan: Plan) -> UUID:
    """Adds a second campaign of the sender, to the same people."""
    template_id = await plan.connection.fetchval("SELECT template_id FROM campaigns")
    campaign_id = await add_campaign(plan.connection, sender_id=plan.sender_id, template_id=template_id)
    await plan.connection.execute("UPDATE campaigns SET expand_complete_time = now() WHERE id = $1", campaign_id)
    await plan.connection.execute(
        """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters)
        SELECT $1, contact_id, sender_id, 1, parameters FROM messages""",
        campaign_id,
    )
    return campaign_id


async def probe(plan: Plan, worker: Worker) -> None:
    """The time of the probe has come, and the pump runs."""
    await plan.connection.execute("UPDATE campaigns SET resume_time = now() - interval '1 second'")
    await resume_campaigns(worker.engine)
    await pump_out(worker, plan.sender_id)


@pytest.mark.parametrize(
    ("code", "source", "hours"),
    [(131048, "SENDER", [1, 2, 4, 8, 16, 24, 24]), (131064, "ACCOUNT", [24, 24])],
)
async def test_each_probe_that_is_refused_doubles_the_wait(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str], *, code: int, source: str, hours: list[int]
) -> None:
    await refuse(whatsapp_and_url[0], code)
    await pump_out(worker, plan.sender_id)
    waits = [await plan.connection.fetchval(HOURS)]
    for _ in hours[1:]:
        await probe(plan, worker)
        waits.append(await plan.connection.fetchval(HOURS))
    assert waits == hours
    assert await plan.connection.fetchval("SELECT state || ' ' || pause_source FROM campaigns") == f"PAUSED {source}"
    assert await plan.states() == {"PENDING": 30}


async def test_a_probe_sends_little_and_a_minute_without_refusal_ends_it(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await refuse(whatsapp_and_url[0], 131048, trigger="next", n=1)
    await pump_out(worker, plan.sender_id)
    refused = 30 - (await plan.states()).get("ACCEPTED", 0)
    assert refused > 0
    await plan.connection.execute("UPDATE messages SET state = 'PENDING', not_before_time = now()")
    await probe(plan, worker)
    assert 1 <= (await plan.states())["ACCEPTED"] <= 4
    await plan.connection.execute("UPDATE campaigns SET probe_time = now() - interval '61 seconds'")
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": 30}


async def test_a_refusal_long_after_a_probe_begins_anew(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await refuse(whatsapp_and_url[0], 131048)
    await plan.connection.execute("UPDATE campaigns SET probe_count = 3, probe_time = now() - interval '61 minutes'")
    await pump_out(worker, plan.sender_id)
    assert await plan.connection.fetchval(HOURS) == 1


async def test_probes_are_counted_for_the_number_whichever_campaign_made_them(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await refuse(whatsapp_and_url[0], 131048)
    await pump_out(worker, plan.sender_id)
    for _ in range(2):
        await probe(plan, worker)
    await plan.connection.execute("UPDATE campaigns SET state = 'COMPLETED'")
    second = await another(plan)
    await pump_out(worker, plan.sender_id)
    assert await plan.connection.fetchval(f"{HOURS} WHERE id = $1", second) == 8


async def test_a_campaign_that_comes_to_a_restricted_number_waits_for_the_probe_of_the_others(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await refuse(whatsapp_and_url[0], 131048)
    await pump_out(worker, plan.sender_id)
    await probe(plan, worker)
    await another(plan)
    await pump_out(worker, plan.sender_id)
    waiting = await plan.connection.fetch("SELECT state, resume_time, probe_count FROM campaigns")
    assert waiting[0] == waiting[1]
    await probe(plan, worker)
    assert await plan.connection.fetchval("SELECT array_agg(probe_count) FROM campaigns") == [2, 2]


async def test_a_campaign_refused_when_the_others_are_due_to_probe_counts_as_their_probe(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await refuse(whatsapp_and_url[0], 131048)
    await pump_out(worker, plan.sender_id)
    await plan.connection.execute("UPDATE campaigns SET resume_time = now() - interval '1 second', probe_count = 2")
    second = await another(plan)
    await pump_out(worker, plan.sender_id)
    assert await plan.connection.fetchval(f"{HOURS} WHERE id = $1", second) == 8
    await resume_campaigns(worker.engine)
    await pump_out(worker, plan.sender_id)
    waiting = await plan.connection.fetch("SELECT state, resume_time, probe_count FROM campaigns")
    assert waiting[0] == waiting[1]
    assert waiting[0]["probe_count"] == 3


async def test_who_resumes_by_hand_is_sent_at_full_pace(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await plan.connection.execute("UPDATE campaigns SET state = 'PAUSED', probe_count = 1, probe_time = now()")
    async with worker.engine.store.transaction() as rooms:
        await rooms.campaign_states.resume_campaign(plan.campaign_id, at=worker.engine.clock.now())
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": 30}


@pytest.mark.parametrize(
    ("code", "minutes", "least", "of_all"), [(80007, 10, 540, False), (4, 0, 30, True), (613, 90, 3500, True)]
)
async def test_calls_that_are_used_up_hold_all_senders_of_the_account_or_the_app_for_the_told_time(
    plan: Plan,
    worker: Worker,
    whatsapp_and_url: tuple[WhatsApp, str],
    *,
    code: int,
    minutes: int,
    least: int,
    of_all: bool,
) -> None:
    usage = f'{{"{ACCOUNT}":[{{"type":"whatsapp","estimated_time_to_regain_access":{minutes}}}]}}'
    headers = {"x-business-use-case-usage": usage}
    await refuse(whatsapp_and_url[0], code, trigger="next", n=1, headers=headers)
    neighbour = await add_sender(plan.connection, phone_number_id="101", account=ACCOUNT)
    stranger = await add_sender(plan.connection, phone_number_id="102", account="another")
    await pump_out(worker, plan.sender_id)
    waits = [await _wait(worker, sender_id) for sender_id in (plan.sender_id, neighbour, stranger)]
    assert least < waits[0] <= 3600
    assert least < waits[1] <= 3600
    assert (waits[2] > least) == of_all


async def _wait(worker: Worker, sender_id: UUID) -> float:
    return (await worker.engine.pace.reserve(Lane.of_sender(sender_id, 100.0), 1)).wait
