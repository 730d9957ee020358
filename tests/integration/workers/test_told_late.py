"""Failures that are told late: they pause nothing that was started or resumed since, and slow nobody any more."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from core.domain.campaigns import PauseSource
from core.domain.messages import MessageRef
from core.domain.outcomes import Refused
from core.pace import Lane
from core.whatsapp.errors import ENDS_WITH_APPROVAL, ENDS_WITH_FLAG, ENDS_WITH_RESTRICTION, verdict
from tests.helpers.campaign_rows import add_campaign
from tests.helpers.receiving import NOW
from tests.helpers.sending import ACCOUNT, CLOCK, Plan, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from tests.integration.workers.test_announcements import announced, banned, number
from workers.aftermath import Aftermath
from workers.assembly import Worker
from workers.pauses import pause_at_fault
from workers.tasks.receipts import apply_deliveries

STATE = "SELECT state || ' ' || pause_source FROM campaigns WHERE id = $1"
RUNNING = "RUNNING "
# Everything here happened within this hour.
BEGAN = CLOCK.now().replace(microsecond=0) - timedelta(hours=1)
RESUMED = BEGAN + timedelta(minutes=30, microseconds=700_000)
BEFORE, AFTER = RESUMED - timedelta(minutes=10), RESUMED + timedelta(minutes=10)
RUN_TIME = "SELECT run_time FROM campaigns"
# So long after the announcements of other tests the campaign was resumed, or what these announce ended.
SECONDS = int((RESUMED - NOW).total_seconds())
_APPROVED = {"event": "APPROVED", "message_template_id": 900, "reason": "NONE"}
ENDS = {
    132015: announced("message_template_status_update", _APPROVED, seconds=SECONDS),
    131031: banned("REINSTATE", seconds=SECONDS),
    131048: number("UNFLAGGED", seconds=SECONDS),
}


@pytest.fixture
async def plan(fresh_database_url: str) -> AsyncIterator[Plan]:
    async with planned(fresh_database_url, numbers(60)) as made:
        await made.connection.execute("UPDATE messages SET state = 'ACCEPTED', attempt = 1, accept_time = $1", BEGAN)
        yield made


@pytest.fixture
async def worker(worker_settings: dict[str, str]) -> AsyncIterator[Worker]:
    async with idle_worker(worker_settings) as made:
        yield made


async def tell(plan: Plan, worker: Worker, code: int, *times: datetime, first: int = 0, word: str = "failed") -> None:
    """WhatsApp tells of so many messages, from the first one on, each in a delivery of its own."""
    rows = await plan.connection.fetch("SELECT id FROM messages ORDER BY id LIMIT $1 OFFSET $2", len(times), first)
    refs = [MessageRef(campaign_id=plan.campaign_id, message_id=row["id"], attempt=1) for row in rows]
    bodies = [
        body(statuses=[status(word, at, wamid=f"wamid.{ref.message_id}", ref=ref, code=code)])
        for ref, at in zip(refs, times, strict=True)
    ]
    async with worker.engine.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(bodies)
    await apply_deliveries(worker.engine)


async def announce(worker: Worker, *bodies: bytes) -> None:
    """WhatsApp announces something."""
    async with worker.engine.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(list(bodies))
    await apply_deliveries(worker.engine)


async def state(plan: Plan, campaign_id: UUID | None = None) -> str:
    return str(await plan.connection.fetchval(STATE, campaign_id or plan.campaign_id))


async def resume(plan: Plan, worker: Worker, at: datetime = RESUMED) -> None:
    """Somebody pauses the campaign and lets it run on."""
    async with worker.engine.store.transaction() as rooms:
        await rooms.campaign_states.pause_campaign(plan.campaign_id, at=BEGAN, source=PauseSource.USER)
        await rooms.campaign_states.resume_campaign(plan.campaign_id, at=at)


@pytest.mark.parametrize(
    ("code", "source"),
    [(131042, "ACCOUNT"), (131031, "ACCOUNT"), (131048, "SENDER"), (190, "CREDENTIAL"), (132015, "TEMPLATE")],
)
async def test_a_failure_from_before_a_campaign_was_resumed_leaves_it_running_and_a_newer_one_pauses_it(
    plan: Plan, worker: Worker, code: int, source: str
) -> None:
    await resume(plan, worker)
    await tell(plan, worker, code, BEFORE)
    assert await state(plan) == RUNNING
    await tell(plan, worker, code, AFTER, BEFORE, first=1)
    assert await state(plan) == f"PAUSED {source}"


async def test_of_failures_told_at_once_the_newest_decides_in_whatever_order_they_come(
    plan: Plan, worker: Worker
) -> None:
    await resume(plan, worker)
    await tell(plan, worker, 131042, BEFORE, AFTER, BEFORE)
    assert await state(plan) == "PAUSED ACCOUNT"


async def test_a_failure_in_the_second_of_the_resuming_counts_as_later(plan: Plan, worker: Worker) -> None:
    await resume(plan, worker)
    await tell(plan, worker, 131042, RESUMED - timedelta(seconds=1))
    assert await state(plan) == RUNNING
    await tell(plan, worker, 131042, RESUMED, first=1)
    assert await state(plan) == "PAUSED ACCOUNT"


async def test_a_refusal_of_now_pauses_also_what_a_clock_ahead_of_ours_resumed(plan: Plan, worker: Worker) -> None:
    await resume(plan, worker, at=CLOCK.now() + timedelta(minutes=1))
    lane = Lane.of_sender(plan.sender_id, 20.0)
    async with worker.engine.store.connection() as rooms:
        (campaign,) = await rooms.sending.list_running_campaigns(plan.sender_id)
    refused = Refused(verdict=verdict(131042), code=131042, title="Business eligibility payment issue")
    await Aftermath(engine=worker.engine, sender_id=plan.sender_id, lane=lane).consider(campaign, refused)
    assert await state(plan) == "PAUSED ACCOUNT"


async def test_a_campaign_that_was_started_after_the_failure_of_another_one_runs_on(plan: Plan, worker: Worker) -> None:
    template_id = await plan.connection.fetchval("SELECT template_id FROM campaigns")
    started, due = [
        await add_campaign(plan.connection, sender_id=plan.sender_id, template_id=template_id, state=state)
        for state in ("DRAFT", "SCHEDULED")
    ]
    await plan.connection.execute("UPDATE campaigns SET schedule_time = $1 WHERE id = $2", RESUMED, due)
    async with worker.engine.store.transaction() as rooms:
        await rooms.campaign_states.start_campaign(started, at=RESUMED)
        assert (await rooms.campaign_states.start_due_campaigns(at=RESUMED)).started == (due,)
    await tell(plan, worker, 131042, BEFORE)
    assert [await state(plan, each) for each in (plan.campaign_id, started, due)] == ["PAUSED ACCOUNT", *[RUNNING] * 2]
    await tell(plan, worker, 131042, AFTER, first=1)
    assert {await state(plan, each) for each in (started, due)} == {"PAUSED ACCOUNT"}


async def test_a_complete_campaign_whose_failures_somebody_tries_again_runs_on(plan: Plan, worker: Worker) -> None:
    await plan.connection.execute("UPDATE campaigns SET state = 'COMPLETED', complete_time = $1", BEFORE)
    async with worker.engine.store.transaction() as rooms:
        await rooms.retries.reopen_campaign(plan.campaign_id, at=RESUMED)
    await tell(plan, worker, 131042, BEFORE)
    assert await state(plan) == RUNNING


@pytest.mark.parametrize(("code", "source"), [(132015, "TEMPLATE"), (131031, "ACCOUNT"), (131048, "SENDER")])
async def test_what_runs_on_because_whatsapp_said_so_is_not_paused_by_what_failed_before(
    plan: Plan, worker: Worker, code: int, source: str
) -> None:
    await plan.connection.execute("UPDATE senders SET phone_number = '+1 555-000-1111'")
    await tell(plan, worker, code, BEGAN)
    assert await state(plan) == f"PAUSED {source}"
    async with worker.engine.store.transaction() as rooms:
        over = rooms.resumptions
        match source:
            case "TEMPLATE":
                await over.resume_template_campaigns(["900"], codes=sorted(ENDS_WITH_APPROVAL), at=RESUMED)
            case "ACCOUNT":
                await over.resume_account_campaigns([ACCOUNT], codes=sorted(ENDS_WITH_RESTRICTION), at=RESUMED)
            case _:
                numbers = [(ACCOUNT, "15550001111")]
                await over.resume_sender_campaigns(numbers, codes=sorted(ENDS_WITH_FLAG), at=RESUMED)
    assert await state(plan) == RUNNING
    await tell(plan, worker, code, BEFORE, first=1)
    assert await state(plan) == RUNNING


@pytest.mark.parametrize("code", list(ENDS))
async def test_what_ran_all_along_is_not_paused_by_what_failed_before_an_announced_end(
    plan: Plan, worker: Worker, code: int
) -> None:
    await plan.connection.execute("UPDATE senders SET phone_number = '+1 555-000-1111'")
    await plan.connection.execute("UPDATE templates SET sync_time = $1", BEGAN)
    await announce(worker, ENDS[code])
    await tell(plan, worker, code, BEFORE)
    found = verdict(code, in_receipt=True)
    campaign_id, sender_id, store = plan.campaign_id, plan.sender_id, worker.engine.store
    await pause_at_fault(
        store, found.scope, campaign_id=campaign_id, sender_id=sender_id, found=found, code=code, fail_time=BEFORE
    )
    assert await state(plan) == RUNNING
    await tell(plan, worker, code, AFTER, first=1)
    assert (await state(plan)).startswith("PAUSED")


async def test_an_announcement_dates_only_what_it_speaks_of_and_only_forwards(plan: Plan, worker: Worker) -> None:
    quality = {"message_template_id": 900, "previous_quality_score": "RED", "new_quality_score": "GREEN"}
    await plan.connection.execute("UPDATE senders SET phone_number = '+1 555-000-1111'")
    await announce(
        worker,
        announced("message_template_quality_update", quality, seconds=SECONDS),
        banned("REINSTATE", seconds=SECONDS, account="another"),
        number("UNFLAGGED", digits="15550009999", seconds=SECONDS),
        banned("DISABLE", seconds=SECONDS - 9, account="another"),
    )
    assert await plan.connection.fetchval(RUN_TIME) is None
    await resume(plan, worker)
    await announce(worker, banned("REINSTATE", seconds=SECONDS - 60))
    assert await plan.connection.fetchval(RUN_TIME) == RESUMED
    await announce(worker, banned("REINSTATE", seconds=SECONDS + 60))
    assert await plan.connection.fetchval(RUN_TIME) == RESUMED.replace(microsecond=0) + timedelta(seconds=60)


async def test_a_probe_is_not_ended_by_what_failed_before_it(plan: Plan, worker: Worker) -> None:
    await tell(plan, worker, 131048, BEGAN)
    await plan.connection.execute("UPDATE campaigns SET resume_time = $1", RESUMED)
    async with worker.engine.store.transaction() as rooms:
        assert await rooms.resumptions.resume_due_campaigns(at=RESUMED) == 1
    await tell(plan, worker, 131048, BEFORE, first=1)
    assert await state(plan) == RUNNING


async def test_failures_from_before_a_campaign_was_resumed_do_not_count_against_it(plan: Plan, worker: Worker) -> None:
    await resume(plan, worker)
    await tell(plan, worker, 131008, *[BEFORE] * 30)
    assert await state(plan) == RUNNING
    await tell(plan, worker, 131008, *[AFTER] * 19, first=30)
    assert await state(plan) == RUNNING
    await tell(plan, worker, 131008, AFTER, first=49)
    assert await state(plan) == "PAUSED BREAKER"


async def test_who_was_too_fast_long_ago_is_not_slowed_now(plan: Plan, worker: Worker) -> None:
    lane = Lane.of_sender(plan.sender_id, 80)
    await tell(plan, worker, 130429, CLOCK.now() - timedelta(minutes=2))
    assert not await worker.engine.pace.is_slowed(lane)
    await tell(plan, worker, 130429, CLOCK.now() - timedelta(seconds=30), first=1)
    assert await worker.engine.pace.is_slowed(lane)
