"""Outcomes are written though one among them can never be, and kept, not too many of them, while none can be."""

import asyncio
from dataclasses import replace
from uuid import UUID

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from tests.helpers.eventually import eventually
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker
from workers.engine import Engine
from workers.pump import pump_sender
from workers.settler import Settler
from workers.tasks.upkeep import expire_leases
from workers.unwritten import Unwritten

# A character that PostgreSQL keeps no text with, one that no text can be sent to it with, and what no index holds.
HOPELESS = ["wamid.\0", "wamid.\ud800", "".join(chr(0x4E00 + n * n % 20_000) for n in range(9000))]
FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE UPDATE ON messages
    FOR EACH ROW WHEN (NEW.state = 'ACCEPTED') EXECUTE FUNCTION full_disk()"""


async def test_what_cannot_be_stored_is_left_in_doubt_and_the_others_are_written(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(10)) as plan, idle_worker(worker_settings) as worker:
        ids = await _claim(plan)
        settler = Settler(worker.engine)
        for wamid, message_id in zip([*HOPELESS, *(f"wamid.{n}" for n in range(7))], ids, strict=True):
            ref = MessageRef(campaign_id=plan.campaign_id, message_id=message_id, attempt=1)
            settler.add(Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=wamid))
        await settler.close()
        assert await plan.states() == {"ACCEPTED": 7, "SENDING": 3}
        await expire_leases(worker.engine)
        assert await plan.states() == {"ACCEPTED": 7, "UNCONFIRMED": 3}


async def _claim(plan: Plan) -> list[UUID]:
    """Makes all messages look claimed, by a lease that has just ended."""
    rows = await plan.connection.fetch(
        "UPDATE messages SET state = 'SENDING', attempt = 1, lease_expire_time = now() RETURNING id"
    )
    return [row["id"] for row in rows]


async def test_while_outcomes_cannot_be_written_no_run_begins_much_more_and_then_the_same_run_goes_on(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(200), per_second=50) as plan, idle_worker(worker_settings) as worker:
        engine = replace(worker.engine, unwritten=Unwritten(most=30))
        await plan.connection.execute(FULL_DISK)
        earlier = await _stuck(plan, engine)
        earlier.cancel()
        await asyncio.wait({earlier})
        run = await _stuck(plan, engine)
        _, going_on = await asyncio.wait({run}, timeout=1.5)
        assert going_on, "that nothing may be begun is not that nothing is due"
        # With the thirtieth, what was claimed before it is on its way: the batch that leaves, and the one behind it.
        assert await whatsapp_and_url[0].accepted_count() == engine.unwritten.count <= 30 + 3 * 10
        await plan.connection.execute("DROP TRIGGER full_disk ON messages")
        await run
        await engine.drains.finish()
        assert engine.unwritten.count == 0
        assert await plan.all_are("ACCEPTED")
        assert await whatsapp_and_url[0].accepted_count() == 200


async def _stuck(plan: Plan, engine: Engine) -> asyncio.Task[None]:
    """Begins a run; returns it once all that is claimed has its answer and nothing more may be."""
    run = asyncio.create_task(pump_sender(engine, plan.sender_id))

    async def is_stuck() -> bool:
        claimed: int = await plan.value("count(*) FILTER (WHERE state = 'SENDING')")
        return engine.unwritten.is_full and claimed == engine.unwritten.count

    await eventually(is_stuck)
    return run
