"""The send endpoint: what is accepted, what is refused, and what comes back for it."""

import asyncio
from typing import Any

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, NUMBER, WABA, Meta, Receiver, template_message


async def test_an_accepted_message_gets_three_receipts_with_our_callback_data(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send(biz_opaque_callback_data="ü/<message>@1")
    assert reply.status == 200
    assert reply.json["contacts"] == [{"input": "+15550100777", "wa_id": "15550100777"}]
    assert reply.json["messages"][0]["message_status"] == "accepted"
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])
    assert {status["biz_opaque_callback_data"] for status in receiver.statuses()} == {"ü/<message>@1"}
    assert receiver.refused == 0


async def test_a_refusal_takes_as_long_as_an_accept(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"timeline": {"latency_median": 0.3, "latency_p99": 0.3}})
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert (await meta.send(name="nothing")).code == 132001
    assert loop.time() - started >= 0.29


async def test_answers_carry_the_headers_of_meta(meta: Meta) -> None:
    reply = await meta.send()
    assert reply.headers["facebook-api-version"] == "v25.0"
    assert reply.headers["x-fb-trace-id"]


@pytest.mark.parametrize("path", [f"/v25.0/{NUMBER}/messages", "/v25.0/1/messages", "/anything"])
async def test_a_wrong_token_is_refused_before_anything_else(meta: Meta, path: str) -> None:
    reply = await meta.call("POST", path, token="wrong", data=b"not even JSON")
    assert (reply.status, reply.code) == (401, 190)


@pytest.mark.parametrize(
    "method_and_path", ["POST /v25.0/123/messages", f"GET /v25.0/{NUMBER}/messages", "GET /v25.0/"]
)
async def test_an_unknown_object_or_edge_is_code_100(meta: Meta, method_and_path: str) -> None:
    method, path = method_and_path.split()
    reply = await meta.call(method, path, json={})
    assert (reply.status, reply.code) == (400, 100)
    assert "does not exist" in reply.json["error"]["message"]


@pytest.mark.parametrize("version", ["", "/v19.0", "/v26.1"])
async def test_any_version_is_served(meta: Meta, version: str) -> None:
    reply = await meta.call("POST", f"{version}/{FAST_NUMBER}/messages", json=template_message("+15550100777"))
    assert reply.status == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"messaging_product": "telegram"}, 100),
        ({"to": ""}, 100),
        ({"to": 15550100777}, 100),
        ({"to": "hello"}, 131009),
        ({"to": "+1 202-555-0182"}, 131021),
        ({"recipient_type": "crowd"}, 100),
        ({"type": "hologram"}, 131051),
        ({"type": "text"}, 131008),
        ({"template": None}, 131008),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
        ({"name": "nothing"}, 132001),
        ({"language": "fr"}, 132001),
        ({"name": "winter_sale", "values": ("Ann",)}, 132015),
        ({"name": "old_survey", "values": ("Ann",)}, 132016),
        ({"name": "free_money", "values": ()}, 132001),
        ({"name": "summer_preview", "values": ("Ann",)}, 132001),
        ({"values": ("Ann",)}, 132000),
        ({"values": ("Ann", "a\nb")}, 132018),
    ],
)
async def test_a_wrong_send_is_refused_and_not_accepted(meta: Meta, changes: dict[str, Any], code: int) -> None:
    to = changes.pop("to", "+15550100777")
    reply = await meta.send(to, **changes)
    assert reply.code == code
    assert (await meta.summary())["accepted"] == 0


async def test_a_body_that_is_no_json_is_code_100(meta: Meta) -> None:
    reply = await meta.call(
        "POST", f"/v25.0/{NUMBER}/messages", data=b"{", headers={"Content-Type": "application/json"}
    )
    assert (reply.status, reply.code) == (400, 100)


async def test_a_message_can_be_addressed_by_user_id(meta: Meta, receiver: Receiver) -> None:
    body = template_message("", recipient="US.123456")
    del body["to"]
    reply = await meta.call("POST", f"/v25.0/{FAST_NUMBER}/messages", json=body)
    assert reply.json["contacts"] == [{"input": "US.123456", "user_id": "US.123456"}]
    await eventually(lambda: len(receiver.statuses(reply.wamid)) == 3)
    assert all("recipient_id" not in status for status in receiver.statuses())


async def test_a_read_mark_is_taken(meta: Meta) -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}
    reply = await meta.call("POST", f"/v25.0/{NUMBER}/messages", json=body)
    assert reply.json == {"success": True}
    assert (await meta.summary())["accepted"] == 0


async def test_a_text_outside_the_window_fails_and_inside_it_is_read(meta: Meta, receiver: Receiver) -> None:
    outside = await meta.send_text("+15550100777")
    await eventually(lambda: receiver.names(outside.wamid) == ["failed"])
    assert receiver.statuses(outside.wamid)[0]["errors"][0]["code"] == 131047
    await meta.sim("POST", "inbound", {"from": "15550100777", "phone_number_id": FAST_NUMBER})
    inside = await meta.send_text("+15550100777")
    await eventually(lambda: receiver.names(inside.wamid) == ["sent", "delivered", "read"])


async def test_the_window_closes_after_a_day(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "inbound", {"from": "15550100777", "phone_number_id": FAST_NUMBER})
    await meta.sim("POST", "clock", {"advance": 86_401})
    late = await meta.send_text("+15550100777")
    await eventually(lambda: receiver.names(late.wamid) == ["failed"])


async def test_the_marketing_endpoint_takes_marketing_templates_only(meta: Meta, receiver: Receiver) -> None:
    path = f"/v25.0/{FAST_NUMBER}/marketing_messages"
    taken = await meta.call("POST", path, json=template_message("+15550100777"))
    refused = await meta.call("POST", path, json=template_message("+15550100777", name="welcome", values=()))
    assert (taken.status, refused.code) == (200, 131055)
    await eventually(lambda: receiver.names(taken.wamid))
    assert receiver.statuses(taken.wamid)[0]["pricing"]["category"] == "marketing_lite"


async def test_an_account_may_forbid_marketing_on_the_plain_endpoint(meta: Meta) -> None:
    await meta.sim("POST", f"accounts/{WABA}", {"marketing_disabled": True})
    assert (await meta.send()).code == 131063
    reply = await meta.call("POST", f"/v25.0/{FAST_NUMBER}/marketing_messages", json=template_message("+15550100777"))
    assert reply.status == 200


async def test_every_message_has_an_id_of_its_own_also_after_a_reset(meta: Meta) -> None:
    replies = await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(30)))
    await meta.sim("POST", "reset")
    again = await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(30)))
    assert len({reply.wamid for reply in (*replies, *again)}) == 60


async def test_requests_sent_ahead_on_one_connection_are_answered_in_order(meta: Meta) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(meta.base.rpartition(":")[2]))
    writer.write(
        b"GET /_sim/health HTTP/1.1\r\nhost: a\r\n\r\n"
        b"GET /_sim/nothing HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    )
    answers = await reader.read()
    assert answers.index(b"200 OK") < answers.index(b"404 Not Found")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("policy", "onboarded", "expected"),
    [
        ("STRICT", True, "marketing_lite"),
        ("CLOUD_API_FALLBACK", True, "marketing_lite"),
        ("STRICT", False, 134102),
        ("CLOUD_API_FALLBACK", False, "marketing"),
        ("SOMETIMES", True, 100),
    ],
)
async def test_the_product_policy_says_whether_marketing_may_fall_back(
    meta: Meta, receiver: Receiver, policy: str, onboarded: bool, expected: str | int
) -> None:
    await meta.sim("POST", f"accounts/{WABA}", {"marketing_onboarded": onboarded})
    body = template_message("+15550100777", product_policy=policy)
    reply = await meta.call("POST", f"/v25.0/{FAST_NUMBER}/marketing_messages", json=body)
    if isinstance(expected, int):
        assert reply.code == expected
        return
    await eventually(lambda: receiver.names(reply.wamid))
    assert receiver.statuses(reply.wamid)[0]["pricing"]["category"] == expected


async def test_a_new_template_reaches_the_marketing_endpoint_after_ten_minutes(meta: Meta, receiver: Receiver) -> None:
    body = {"name": "fresh", "language": "en_US", "category": "MARKETING"}
    components = [{"type": "BODY", "text": "Hello"}]
    await meta.call("POST", f"/v25.0/{WABA}/message_templates", json={**body, "components": components})
    await eventually(lambda: receiver.changes("message_template_status_update"))
    send = template_message("+15550100777", name="fresh", values=(), product_policy="STRICT")
    path = f"/v25.0/{FAST_NUMBER}/marketing_messages"
    assert (await meta.call("POST", path, json=send)).code == 134101
    await meta.sim("POST", "clock", {"advance": 600})
    assert (await meta.call("POST", path, json=send)).status == 200


async def test_a_failed_message_to_a_user_id_names_that_id_and_one_to_a_phone_does_not(
    meta: Meta, receiver: Receiver
) -> None:
    await meta.sim("POST", "outcomes", {"recipients": ["US.123456", "+15550100777"], "outcome": {"fail": 131026}})
    body = template_message("", recipient="US.123456")
    del body["to"]
    by_user_id = await meta.call("POST", f"/v25.0/{FAST_NUMBER}/messages", json=body)
    by_phone = await meta.send()
    await eventually(lambda: len(receiver.statuses()) == 2)
    assert receiver.statuses(by_user_id.wamid)[0]["recipient_user_id"] == "US.123456"
    assert "recipient_user_id" not in receiver.statuses(by_phone.wamid)[0]


async def test_counters_tell_codes_statuses_of_http_and_lag(meta: Meta, receiver: Receiver) -> None:
    await meta.send("+15550109129")
    await meta.send("+15550109126")
    await eventually(lambda: receiver.names() == ["failed"])
    counters = await meta.sim("GET", "counters")
    wanted = {"refused.130429": 1, "http.429": 1, "accepted": 1, "status.failed": 1, "failed.131026": 1}
    assert wanted.items() <= counters.items()
    assert counters["webhooks.lag_max"] >= 0
