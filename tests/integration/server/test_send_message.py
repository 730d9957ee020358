"""SendMessage: one message, checked before it is planned, in a campaign nobody sees."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from chappe.v1 import campaigns_service_pb2, messages_pb2, messages_service_pb2, templates_pb2

from server.wire import names
from tests.helpers.campaign_rows import add_contacts
from tests.helpers.sending_api import SendingApi, serving_sends

NUMBER = "+4917000000077"
_SOURCE = templates_pb2.Binding.Source


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[SendingApi]:
    async with serving_sends(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


def bound(parameter: str, value: str, source: _SOURCE.ValueType = templates_pb2.Binding.SOURCE_LITERAL) -> Any:
    component = templates_pb2.Binding.COMPONENT_BODY
    return templates_pb2.Binding(component=component, parameter=parameter, source=source, value=value)


def asked(api: SendingApi, *bindings: Any, template: UUID | None = None, **more: Any) -> Any:
    content = messages_service_pb2.SendMessageRequest.TemplateContent(
        template=f"templates/{template or api.rows.template_id}",
        bindings=bindings or [bound("1", "Ann"), bound("2", "Rome")],
    )
    addressee = more if {"contact", "phone_number"} & set(more) else {"phone_number": NUMBER, **more}
    return messages_service_pb2.SendMessageRequest(
        sender=f"senders/{api.rows.sender_id}", template_content=content, **addressee
    )


def text(api: SendingApi, contact: UUID) -> Any:
    return messages_service_pb2.SendMessageRequest(
        sender=f"senders/{api.rows.sender_id}", contact=f"contacts/{contact}", text="Your parcel is here."
    )


async def contact(api: SendingApi) -> UUID:
    async with api.rows.database.connection() as connection:
        (contact_id,) = await add_contacts(connection, 1)
        return contact_id


async def send(api: SendingApi, request: Any) -> messages_pb2.Message:
    reply: messages_pb2.Message = await api.call(api.messages.SendMessage, request)
    return reply


async def test_a_message_to_an_unknown_number_makes_a_contact_and_waits_in_a_hidden_campaign(api: SendingApi) -> None:
    first, second = await send(api, asked(api)), await send(api, asked(api))
    assert first.state == messages_pb2.Message.STATE_PENDING
    assert first.contact_detail.phone_number == NUMBER
    assert (second.contact, second.template) == (first.contact, f"templates/{api.rows.template_id}")
    home = names.parse_message(first.name)[0]
    assert names.parse_message(second.name)[0] == home
    listed = await api.call(api.campaigns.ListCampaigns, campaigns_service_pb2.ListCampaignsRequest())
    assert f"campaigns/{home}" not in [campaign.name for campaign in listed.campaigns]
    shown = await api.call(api.messages.ListMessages, messages_service_pb2.ListMessagesRequest())
    assert {message.name for message in shown.messages} == {first.name, second.name}


async def test_a_repeated_request_sends_one_message(api: SendingApi) -> None:
    request = asked(api, request_id="once")
    assert await send(api, request) == await send(api, request)
    assert await api.value("SELECT count(*) FROM messages") == 1


async def test_values_of_the_contact_are_taken_and_a_missing_one_is_refused(api: SendingApi) -> None:
    to = f"contacts/{await contact(api)}"
    own = [bound("1", "display_name", templates_pb2.Binding.SOURCE_CONTACT_FIELD)]
    city = bound("2", "city", templates_pb2.Binding.SOURCE_ATTRIBUTE)
    await send(api, asked(api, *own, city, contact=to))
    assert await api.value("SELECT parameters -> 'values' FROM messages") == ["Name 1", "Rome"]
    size = bound("2", "shoe_size", templates_pb2.Binding.SOURCE_ATTRIBUTE)
    for bindings in (own, [*own, size]):
        assert await api.refusal(api.messages.SendMessage, asked(api, *bindings, contact=to)) == "BINDING_MISSING"
    assert await api.value("SELECT count(*) FROM messages") == 1


async def test_marketing_is_refused_to_who_opted_out_and_a_utility_is_not(api: SendingApi) -> None:
    to = f"contacts/{await contact(api)}"
    await api.rows.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT'")
    assert await api.refusal(api.messages.SendMessage, asked(api, contact=to)) == "OPTED_OUT"
    await api.rows.execute("UPDATE templates SET template_category = 'UTILITY'")
    assert (await send(api, asked(api, contact=to))).state == messages_pb2.Message.STATE_PENDING


async def test_a_text_is_taken_only_while_the_service_window_is_open(api: SendingApi) -> None:
    to = await contact(api)
    assert await api.refusal(api.messages.SendMessage, text(api, to)) == "SERVICE_WINDOW_CLOSED"
    window = "INSERT INTO service_windows VALUES ($1, $2, now() - interval '1 second')"
    await api.rows.execute(window, to, api.rows.sender_id)
    assert await api.refusal(api.messages.SendMessage, text(api, to)) == "SERVICE_WINDOW_CLOSED"
    await api.rows.execute("UPDATE service_windows SET expire_time = now() + interval '1 hour'")
    assert (await send(api, text(api, to))).template == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE senders SET state = 'PAUSED'", "SENDER_PAUSED"),
        ("UPDATE templates SET state = 'PAUSED'", "TEMPLATE_NOT_APPROVED"),
        ("UPDATE templates SET whatsapp_account_id = 'other'", "TEMPLATE_OF_OTHER_ACCOUNT"),
    ],
)
async def test_what_could_not_be_sent_is_refused_and_leaves_nothing_behind(
    api: SendingApi, change: str, reason: str
) -> None:
    await api.rows.execute(change)
    assert await api.refusal(api.messages.SendMessage, asked(api)) == reason
    assert await api.value("SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM messages)") == 0


async def test_a_number_that_is_none_is_refused(api: SendingApi) -> None:
    assert await api.refusal(api.messages.SendMessage, asked(api, phone_number="+49 17")) == "PHONE_NUMBER_INVALID"
