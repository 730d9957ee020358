"""A template that WhatsApp refuses as unknown though we know it as approved is asked about anew, once."""

from functools import partial

from core.domain.templates import DoubtedTemplates
from core.whatsapp.errors import DOUBTS_TEMPLATE, words
from tests.helpers.eventually import eventually
from tests.helpers.sending import Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker, idle_worker, pump_out
from workers.assembly import Worker
from workers.tasks.templates import sync_doubted

STATE = "SELECT state || ' ' || pause_code FROM campaigns"
OUTDATED = "UPDATE templates SET state = 'APPROVED', sync_time = now() - interval '1 day'"


async def test_a_template_that_is_gone_at_whatsapp_is_known_to_be_deleted_after_its_first_refusal(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(3)) as plan:
        await plan.connection.execute(OUTDATED)
        await plan.connection.execute("UPDATE templates SET template_name = 'gone_since'")
        async with busy_worker(worker_settings):
            await eventually(partial(_is_deleted, plan), 20)
        assert await plan.connection.fetchval(STATE) == "PAUSED 132001"
        assert await plan.connection.fetchval("SELECT pause_reason FROM campaigns") == words(132001)
        assert await plan.all_are("PENDING")


async def test_a_template_that_whatsapp_still_lists_is_asked_about_once_and_its_campaign_waits_for_a_person(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    await whatsapp_and_url[0].add_rule(endpoint="messages", action="refuse", code=132001)
    async with planned(fresh_database_url, numbers(3)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute(OUTDATED)
        assert await _doubted(worker) == []
        await pump_out(worker, plan.sender_id)
        (doubted,) = await _doubted(worker)
        assert doubted.sender_id == plan.sender_id
        await sync_doubted(worker.engine, doubted)
        assert await _doubted(worker) == []
        assert await plan.connection.fetchval(STATE) == "PAUSED 132001"
        known = "SELECT count(*) > 1 AND bool_and(sync_time > now() - interval '1 hour') FROM templates"
        assert await plan.connection.fetchval(known), "all that WhatsApp lists is known"


async def _doubted(worker: Worker) -> list[DoubtedTemplates]:
    async with worker.engine.store.connection() as rooms:
        return await rooms.templates.list_doubted_templates(codes=sorted(DOUBTS_TEMPLATE))


async def _is_deleted(plan: Plan) -> bool:
    found = await plan.connection.fetchval("SELECT state FROM templates WHERE template_name = 'gone_since'")
    return bool(found == "DELETED")
