"""Single messages on their way: each with a template or a text of its own, ahead of every campaign."""

from functools import partial
from typing import Any
from uuid import UUID

from chappe.v1 import messages_service_pb2, templates_pb2

from server.services.direct_messages import Addressing, send_message
from server.wire import names
from tests.helpers.eventually import eventually
from tests.helpers.rivals import add_rival
from tests.helpers.sending import ACCOUNT, CLOCK, Plan, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker, idle_worker, pump_out
from workers.assembly import Worker

_ADDRESSING = Addressing(hash_key=b"key", default_region=None)
NUMBER = "+4917000008001"


def _bound(parameter: str, value: str) -> templates_pb2.Binding:
    return templates_pb2.Binding(
        component=templates_pb2.Binding.COMPONENT_BODY,
        parameter=parameter,
        source=templates_pb2.Binding.SOURCE_LITERAL,
        value=value,
    )


async def _send(worker: Worker, plan: Plan, **content: Any) -> UUID:
    template_id = await plan.connection.fetchval("SELECT id FROM templates")
    template = messages_service_pb2.SendMessageRequest.TemplateContent(
        template=f"templates/{template_id}", bindings=[_bound("1", "Ann"), _bound("2", "Rome")]
    )
    request = messages_service_pb2.SendMessageRequest(
        sender=f"senders/{plan.sender_id}",
        phone_number=NUMBER,
        **(content or {"template_content": template}),
    )
    async with worker.engine.store.transaction() as rooms:
        sent = await send_message(rooms, request, addressing=_ADDRESSING, at=CLOCK.now())
    return names.parse_message(sent.name)[1]


async def _state(plan: Plan, message_id: UUID) -> str:
    return str(await plan.connection.fetchval("SELECT state FROM messages WHERE id = $1", message_id))


async def test_a_single_template_message_is_sent_with_its_own_values(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, []) as plan, idle_worker(worker_settings) as worker:
        message_id = await _send(worker, plan)
        await pump_out(worker, plan.sender_id)
        assert await _state(plan, message_id) == "ACCEPTED"
        assert await whatsapp_and_url[0].accepted_count() == 1


async def test_a_text_is_sent_to_who_wrote_before(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, [NUMBER]) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("DELETE FROM messages")
        await plan.connection.execute(
            """INSERT INTO service_windows (contact_id, sender_id, expire_time)
            SELECT contacts.id, senders.id, now() + interval '1 hour' FROM contacts CROSS JOIN senders"""
        )
        message_id = await _send(worker, plan, text="Your parcel is here.")
        await pump_out(worker, plan.sender_id)
        assert await _state(plan, message_id) == "ACCEPTED"
        assert await whatsapp_and_url[0].accepted_count() == 1


async def test_a_single_message_overtakes_a_campaign_that_would_take_many_seconds(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(400), per_second=40) as plan, busy_worker(worker_settings) as worker:
        await eventually(lambda: plan.value("count(*) FILTER (WHERE state = 'ACCEPTED') > 10"), 20)
        started = CLOCK.monotonic()
        message_id = await _send(worker, plan)
        await eventually(partial(_is_accepted, plan, message_id), 5)
        assert CLOCK.monotonic() - started < 2
        assert await plan.value("count(*) FILTER (WHERE state = 'PENDING') > 200")


async def test_single_messages_leave_before_all_campaigns_of_their_number(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(40), per_second=40) as plan, idle_worker(worker_settings) as worker:
        for _ in range(3):
            await add_rival(plan, 20)
        direct = {(await _send(worker, plan)).hex for _ in range(20)}
        await pump_out(worker, plan.sender_id)
        order = [
            row["biz_opaque_callback_data"].split(".")[1] in direct for row in await whatsapp_and_url[0].accepted()
        ]
        # Two that leave 25 ms apart may change places on the way.
        assert len(order) == 120
        assert sum(order[:22]) == 20


async def _is_accepted(plan: Plan, message_id: UUID) -> bool:
    return await _state(plan, message_id) == "ACCEPTED"


async def test_who_opted_out_after_it_was_planned_gets_no_single_marketing_message(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, []) as plan, idle_worker(worker_settings) as worker:
        message_id = await _send(worker, plan)
        await plan.connection.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT'")
        await pump_out(worker, plan.sender_id)
        assert await _state(plan, message_id) == "SKIPPED"
        assert await whatsapp_and_url[0].accepted_count() == 0


async def test_a_single_message_finds_out_whether_a_country_is_open_again(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, []) as plan, idle_worker(worker_settings) as worker:
        message_id = await _send(worker, plan)
        await plan.connection.execute("INSERT INTO restricted_countries VALUES ($1, 'DE', now())", ACCOUNT)
        await pump_out(worker, plan.sender_id)
        assert await _state(plan, message_id) == "ACCEPTED"
