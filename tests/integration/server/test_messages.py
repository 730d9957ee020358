"""Messages and what people did, as a caller sees them."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from chappe.v1 import messages_pb2, messages_service_pb2
from google.protobuf.json_format import MessageToDict

from tests.helpers.reads_api import ReadsApi, serving_reads

requests = messages_service_pb2
State = messages_pb2.Message
MOST = 1000
NOBODY = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ReadsApi]:
    async with serving_reads(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


async def walk(api: ReadsApi, **fields: Any) -> list[messages_pb2.Message]:
    """Follows the pages of a list to its end."""
    found: list[messages_pb2.Message] = []
    token = ""
    while True:
        request = requests.ListMessagesRequest(page_token=token, **fields)
        reply = await api.call(api.messages.ListMessages, request)
        found.extend(reply.messages)
        assert len(found) < MOST, "the walk does not end"
        token = reply.next_page_token
        if not token:
            return found


async def walk_interactions(api: ReadsApi, **fields: Any) -> list[messages_pb2.Interaction]:
    """Follows the pages of a list to its end."""
    found: list[messages_pb2.Interaction] = []
    token = ""
    while True:
        request = requests.ListInteractionsRequest(page_token=token, **fields)
        reply = await api.call(api.messages.ListInteractions, request)
        found.extend(reply.interactions)
        assert len(found) < MOST, "the walk does not end"
        token = reply.next_page_token
        if not token:
            return found


def parent(campaign_id: UUID) -> str:
    return f"campaigns/{campaign_id}"


async def test_a_message_is_shown_with_its_contact(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    (contact_id,) = await api.rows.messages(campaign_id, "FAILED", error_code=131026)
    (listed,) = await walk(api, parent=parent(campaign_id))
    message = await api.call(api.messages.GetMessage, requests.GetMessageRequest(name=listed.name))
    assert message == listed
    assert message.contact == message.contact_detail.name == f"contacts/{contact_id}"
    assert message.contact_detail.phone_number.startswith("+49")
    assert not message.contact_detail.categories
    assert (message.state, message.error_code) == (State.STATE_FAILED, 131026)
    assert "not on WhatsApp" in message.error_title


async def test_the_message_of_an_erased_person_is_shown_without_them(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, "READ")
    await api.rows.execute("UPDATE messages SET contact_id = NULL")
    (message,) = await walk(api, parent=parent(campaign_id))
    assert message.contact == ""
    assert not message.HasField("contact_detail")


async def test_a_campaigns_messages_come_in_the_order_they_were_planned(api: ReadsApi) -> None:
    campaign_id, other = await api.rows.campaign(), await api.rows.campaign()
    contacts = await api.rows.messages(campaign_id, *["PENDING"] * 5)
    await api.rows.messages(other, "PENDING")
    found = await walk(api, parent=parent(campaign_id), page_size=2)
    assert [message.contact for message in found] == [f"contacts/{contact_id}" for contact_id in contacts]


@pytest.mark.parametrize("in_campaign", [True, False])
@pytest.mark.parametrize("by_state", [True, False])
@pytest.mark.parametrize("by_contact", [True, False])
async def test_each_filter_finds_what_matches_and_each_of_it_once(
    api: ReadsApi, in_campaign: bool, by_state: bool, by_contact: bool
) -> None:
    campaigns = [await api.rows.campaign() for _ in range(3)]
    for campaign_id in campaigns:
        contacts = await api.rows.messages(campaign_id, "READ", "PENDING", "READ", "PENDING", "READ")
    fields = (
        ({"parent": parent(campaigns[2])} if in_campaign else {})
        | ({"state": State.STATE_READ} if by_state else {})
        | ({"contact": f"contacts/{contacts[0]}"} if by_contact else {})
    )
    found = [message.name for message in await walk(api, page_size=2, **fields)]
    rows = await api.rows.fetch(
        """SELECT campaign_id, id FROM messages WHERE ($1::uuid IS NULL OR campaign_id = $1)
        AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR contact_id = $3)""",
        campaigns[2] if in_campaign else None,
        "READ" if by_state else None,
        contacts[0] if by_contact else None,
    )
    assert len(found) == len(set(found))
    assert set(found) == {f"campaigns/{row['campaign_id']}/messages/{row['id']}" for row in rows}


@pytest.mark.parametrize("in_campaign", [True, False])
async def test_a_walk_shows_each_message_once_while_others_are_planned(api: ReadsApi, in_campaign: bool) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, *["PENDING"] * 40)
    before = {message.name for message in await walk(api, parent=parent(campaign_id), page_size=1000)}
    seen: list[str] = []
    request = requests.ListMessagesRequest(page_size=3, parent=parent(campaign_id) if in_campaign else "")
    while True:
        reply = await api.call(api.messages.ListMessages, request)
        seen.extend(message.name for message in reply.messages)
        if not reply.next_page_token:
            break
        request.page_token = reply.next_page_token
        if len(seen) < 100:
            await api.rows.messages(campaign_id, "PENDING")
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


async def test_a_token_is_refused_with_other_filters_or_when_forged(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, "READ", "READ")
    list_messages = api.messages.ListMessages
    token = (await api.call(list_messages, requests.ListMessagesRequest(page_size=1))).next_page_token
    changed = requests.ListMessagesRequest(page_token=token, state=State.STATE_READ)
    assert await api.refusal(list_messages, changed) == "PAGE_TOKEN_INVALID"
    forged = requests.ListMessagesRequest(page_token=token[:-4] + "AAAA")
    assert await api.refusal(list_messages, forged) == "PAGE_TOKEN_INVALID"


async def test_what_does_not_exist_is_refused_by_name(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    nowhere = f"campaigns/{NOBODY}"
    service = api.messages
    assert await walk(api, parent=parent(campaign_id)) == []
    asked = requests.ListMessagesRequest(parent=nowhere)
    assert await api.refusal(service.ListMessages, asked) == "CAMPAIGN_NOT_FOUND"
    asked_one = requests.GetMessageRequest(name=f"{parent(campaign_id)}/messages/{NOBODY}")
    assert await api.refusal(service.GetMessage, asked_one) == "MESSAGE_NOT_FOUND"
    answers = requests.ListInteractionsRequest(parent=nowhere)
    assert await api.refusal(service.ListInteractions, answers) == "CAMPAIGN_NOT_FOUND"
    answers.parent = f"{parent(campaign_id)}/messages/{NOBODY}"
    assert await api.refusal(service.ListInteractions, answers) == "MESSAGE_NOT_FOUND"
    count = requests.CountInteractionsRequest(parent=nowhere)
    assert await api.refusal(service.CountInteractions, count) == "CAMPAIGN_NOT_FOUND"


async def test_an_export_ends_with_the_number_of_its_rows(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, *["READ"] * 1500, *["PENDING"] * 20)
    for state, expected in (
        (State.STATE_UNSPECIFIED, [1000, 520]),
        (State.STATE_READ, [1000, 500]),
        (State.STATE_FAILED, []),
    ):
        request = requests.ExportMessagesRequest(parent=parent(campaign_id), state=state)
        stream = api.messages.ExportMessages(request, metadata=api.metadata, timeout=30)
        *elements, last = [element async for element in stream]
        assert [len(element.messages) for element in elements] == expected
        assert last.footer.row_count == sum(expected)
        names = [message.name for element in elements for message in element.messages]
        assert len(set(names)) == len(names)


async def test_what_people_did_is_listed_by_campaign_message_contact_and_kind(api: ReadsApi) -> None:
    campaign_id, other = await api.rows.campaign(), await api.rows.campaign()
    contacts = await api.rows.messages(campaign_id, *["READ"] * 7)
    await api.rows.messages(other, *["READ"] * 3)
    for made, kind in ((campaign_id, "TEXT"), (campaign_id, "BUTTON"), (other, "TEXT")):
        await api.rows.interactions(made, kind=kind)
    found = await walk_interactions(api, parent=parent(campaign_id), page_size=3)
    times = [interaction.interaction_time.ToNanoseconds() for interaction in found]
    assert len({interaction.name for interaction in found}) == 14
    assert times == sorted(times, reverse=True)
    assert MessageToDict(found[0].payload) == {"button": {"payload": "YES"}, "n": [1.0, None]}
    of_message = await walk_interactions(api, parent=found[0].message, page_size=1)
    assert {interaction.contact for interaction in of_message} == {found[0].contact}
    assert len(of_message) == 2
    assert len(await walk_interactions(api, contact=f"contacts/{contacts[0]}", page_size=1)) == 2
    assert len(await walk_interactions(api, kind=messages_pb2.Interaction.KIND_TEXT, page_size=4)) == 10
    assert len(await walk_interactions(api)) == 17


async def test_what_people_did_is_counted_by_kind(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    request = requests.CountInteractionsRequest(parent=parent(campaign_id))
    assert (await api.call(api.messages.CountInteractions, request)).interaction_count == 0
    await api.rows.messages(campaign_id, *["READ"] * 3)
    for kind in ("TEXT", "BUTTON", "TEXT"):
        await api.rows.interactions(campaign_id, kind=kind)
    counts = await api.call(api.messages.CountInteractions, request)
    Kind = messages_pb2.Interaction  # noqa: N806  # a class
    assert [(each.kind, each.interaction_count) for each in counts.kinds] == [
        (Kind.KIND_TEXT, 6),
        (Kind.KIND_BUTTON, 3),
    ]
    assert (counts.interaction_count, counts.contact_count) == (9, 3)
