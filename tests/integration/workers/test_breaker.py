"""A campaign whose messages fail one after the other for a reason of its own stops, and says why."""

from core.domain.messages import MessageRef
from core.pace import Lane
from tests.helpers.sending import CLOCK, Plan, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker, pump_out
from workers.assembly import Worker
from workers.tasks.receipts import apply_deliveries

STATE = "SELECT state || ' ' || pause_source || ' ' || pause_code FROM campaigns"
WAIT = "UPDATE messages SET not_before_time = now() + interval '1 hour' WHERE id IN (SELECT id FROM messages LIMIT 12)"


async def _tell(worker: Worker, plan: Plan, word: str, *, code: int = 0, count: int = 20) -> None:
    """WhatsApp tells of so many messages, each in a delivery of its own."""
    rows = await plan.connection.fetch("SELECT id, attempt FROM messages ORDER BY id LIMIT $1", count)
    refs = [MessageRef(campaign_id=plan.campaign_id, message_id=row["id"], attempt=row["attempt"]) for row in rows]
    told = [status(word, CLOCK.now(), wamid=f"wamid.{n}", ref=ref, code=code) for n, ref in enumerate(refs)]
    async with worker.engine.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([body(statuses=[one]) for one in told])
    await apply_deliveries(worker.engine)


async def _sent(plan: Plan) -> None:
    await plan.connection.execute("UPDATE messages SET state = 'ACCEPTED', attempt = 1, accept_time = $1", CLOCK.now())


async def test_refusals_in_a_row_count_on_from_one_run_of_the_pump_to_the_next(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await whatsapp_and_url[0].add_rule(endpoint="messages", action="refuse", code=131009, trigger="always")
    async with planned(fresh_database_url, numbers(24)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute(WAIT)
        await pump_out(worker, plan.sender_id)
        assert await plan.connection.fetchval(STATE) == "RUNNING  0"
        await plan.connection.execute("UPDATE messages SET not_before_time = '2020-01-01'")
        await pump_out(worker, plan.sender_id)
        assert await plan.connection.fetchval(STATE) == "PAUSED BREAKER 131009"
        assert "A value in the message" in await plan.connection.fetchval("SELECT pause_reason FROM campaigns")


async def test_receipts_of_media_that_never_load_stop_the_campaign_and_fail_nobody(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(20)) as plan, idle_worker(worker_settings) as worker:
        await _sent(plan)
        await _tell(worker, plan, "sent")
        await _tell(worker, plan, "failed", code=131053, count=19)
        await _tell(worker, plan, "failed", code=131053, count=19)  # told again, which is no news
        assert await plan.connection.fetchval(STATE) == "RUNNING  0"
        await _tell(worker, plan, "failed", code=131053)
        assert await plan.connection.fetchval(STATE) == "PAUSED BREAKER 131053"
        assert await plan.states() == {"PENDING": 20}


async def test_a_delivery_in_between_shows_that_the_campaign_is_sound(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(20)) as plan, idle_worker(worker_settings) as worker:
        await _sent(plan)
        await _tell(worker, plan, "failed", code=131053, count=10)
        await _tell(worker, plan, "delivered", count=1)
        await _tell(worker, plan, "failed", code=131053, count=20)
        assert await plan.connection.fetchval(STATE) == "RUNNING  0"


async def test_failures_that_are_the_contacts_own_never_stop_a_campaign(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(20)) as plan, idle_worker(worker_settings) as worker:
        await _sent(plan)
        await _tell(worker, plan, "failed", code=131049)
        assert await plan.connection.fetchval(STATE) == "RUNNING  0"
        assert await plan.states() == {"FAILED": 20}


async def test_a_throttle_told_by_a_receipt_slows_the_sender_and_costs_no_message(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await _sent(plan)
        await _tell(worker, plan, "failed", code=130429)
        assert await worker.engine.pace.is_slowed(Lane.of_sender(plan.sender_id, 80))
        assert await plan.states() == {"PENDING": 1}
