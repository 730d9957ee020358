"""One person is one person, however they are addressed: by any writing of the number, or by the user id behind it."""

from typing import Any

import pytest

from simulator.phone import user_id_of
from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, WABA, Meta, Receiver, Reply, template_message

USER_ID = user_id_of("15550100777")
WRITINGS = [
    ("+5215512345678", "+525512345678"),
    ("+5531987654321", "+553187654321"),
    ("+5511987654321", "+551187654321"),
    ("+5491123456789", "+541123456789"),
    (f"+{15550100777}", USER_ID),
]


async def _send(meta: Meta, person: str, **changes: Any) -> Reply:
    body = template_message("" if "." in person else person, **changes)
    if "." in person:
        del body["to"]
        body["recipient"] = person
    return await meta.call("POST", f"/v25.0/{FAST_NUMBER}/messages", json=body)


async def _send_text(meta: Meta, person: str) -> Reply:
    return await _send(meta, person, type="text", text={"body": "Hello"})


@pytest.mark.parametrize(("one", "other"), WRITINGS)
async def test_both_ways_to_address_a_person_share_the_pair_limit(meta: Meta, one: str, other: str) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    await meta.sim("PATCH", "settings", {"limits": {"pair_capacity": 1}})
    assert [(await _send(meta, person)).code for person in (one, other)] == [0, 131056]


@pytest.mark.parametrize(("one", "other"), WRITINGS)
async def test_a_person_who_got_two_is_doubled_however_they_were_addressed(meta: Meta, one: str, other: str) -> None:
    first, second = await _send(meta, one), await _send(meta, other)
    summary = await meta.summary()
    assert (summary["recipients"], summary["recipients_with_more_than_one"]) == (1, 1)
    ((rows),) = (await meta.sim("GET", "doubled"))["messages"].values()
    assert [row["wamid"] for row in rows] == [first.wamid, second.wamid]


@pytest.mark.parametrize(("one", "other"), WRITINGS)
async def test_a_fate_holds_however_the_person_is_addressed(
    meta: Meta, receiver: Receiver, one: str, other: str
) -> None:
    await meta.sim("POST", "outcomes", {"recipients": [other], "outcome": {"fail": 131026}})
    reply = await _send(meta, one)
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])


async def test_who_writes_without_a_number_can_be_answered_by_their_user_id(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "inbound", {"from": "15550100777", "bsuid_only": True, "phone_number_id": FAST_NUMBER})
    await eventually(receiver.inbound)
    reply = await _send_text(meta, receiver.inbound()[0]["from_user_id"])
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])
    assert all("recipient_id" not in status for status in receiver.statuses(reply.wamid))


@pytest.mark.parametrize("user_id", [USER_ID, "US.AB777"])
async def test_a_person_may_write_as_their_user_id(meta: Meta, receiver: Receiver, user_id: str) -> None:
    await meta.sim("POST", "inbound", {"from": user_id, "phone_number_id": FAST_NUMBER})
    await eventually(receiver.inbound)
    (message,) = receiver.inbound()
    assert (message["from_user_id"], "from" in message) == (user_id, False)
    (value,) = [value for value in receiver.changes("messages") if "messages" in value]
    assert (value["contacts"][0]["user_id"], "wa_id" in value["contacts"][0]) == (user_id, False)
    reply = await _send_text(meta, user_id)
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])


async def test_who_stopped_marketing_gets_none_by_their_user_id(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "user_preferences", {"wa_id": "15550100777", "value": "stop"})
    reply = await _send(meta, USER_ID)
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])
    assert receiver.statuses(reply.wamid)[0]["errors"][0]["code"] == 131050


async def test_a_person_is_reached_once_by_number_and_by_user_id(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": "sync", "reach_limits": {"TIER_250": 1}}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    codes = [(await _send(meta, person)).code for person in ("+15550100777", USER_ID, "+15550100778")]
    assert codes == [0, 0, 131048]


async def test_a_quote_of_the_last_message_finds_one_by_user_id(meta: Meta, receiver: Receiver) -> None:
    reply = await _send(meta, USER_ID)
    await meta.sim("POST", "inbound", {"from": "+15550100777", "context": "last"})
    await eventually(receiver.inbound)
    assert receiver.inbound()[0]["context"]["id"] == reply.wamid
    (row,) = (await meta.sim("GET", "accepted?to=%2B15550100777"))["data"]
    assert row["wamid"] == reply.wamid


@pytest.mark.parametrize("user_id", [user_id_of("15550109150"), "US.AB9150"])
async def test_9150_stops_marketing_to_a_user_id(meta: Meta, receiver: Receiver, user_id: str) -> None:
    reply = await _send(meta, user_id)
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])
    assert receiver.statuses(reply.wamid)[0]["errors"][0]["code"] == 131050
    await eventually(lambda: receiver.changes("user_preferences"))
    (value,) = receiver.changes("user_preferences")
    (preference,) = value["user_preferences"]
    assert (preference["user_id"], preference["value"]) == (user_id, "stop")
    assert value["contacts"][0]["user_id"] == user_id
    await meta.sim("PATCH", "settings", {"suffixes": False})
    again = await _send(meta, user_id)
    await eventually(lambda: receiver.names(again.wamid) == ["failed"])


async def test_our_own_number_is_refused_by_its_user_id_too(meta: Meta) -> None:
    assert (await _send(meta, user_id_of("12025550182"))).code == 131021


async def test_a_wrong_delivery_may_be_about_a_message_to_a_user_id(meta: Meta, receiver: Receiver) -> None:
    reply = await _send(meta, "US.AB9185")
    await eventually(lambda: receiver.names(reply.wamid) == ["sent"])
    await meta.sim("POST", "webhooks/bad", {"mode": "bsuid_only", "wamid": reply.wamid})
    assert receiver.statuses(reply.wamid)[-1]["recipient_user_id"] == "US.AB9185"
