"""Deliveries: batched, tried again, disordered and doubled on request, and wrong on purpose."""

import asyncio
import json
import socket
from collections import Counter

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, Meta, Receiver, until

KINDS = ["text", "button", "interactive", "image", "video", "document", "audio", "sticker", "reaction", "location"]
KINDS += ["contacts", "order", "system", "unsupported", "edit", "revoke"]


async def test_a_delivery_that_fails_is_made_again_with_the_same_bytes(meta: Meta, receiver: Receiver) -> None:
    receiver.answers = [500, 503, 404]
    reply = await meta.send("+15550109185")
    await eventually(lambda: receiver.names(reply.wamid) == ["sent"])
    state = await meta.sim("GET", "webhooks")
    assert (state["posts"], state["failed_posts"], state["retries"], state["undelivered"]) == (4, 3, 3, 0)
    sizes = {row["bytes"] for row in (await meta.sim("GET", "webhooks/log"))["data"]}
    assert sizes == {len(receiver.bodies[0])}


async def test_a_delivery_that_is_redirected_has_failed(meta: Meta, receiver: Receiver) -> None:
    receiver.answers = [302]
    reply = await meta.send()
    await eventually(lambda: sorted(receiver.names(reply.wamid)) == ["delivered", "read", "sent"])
    assert not receiver.answers


async def test_nothing_is_lost_while_the_receiver_is_down(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "webhooks", {"url": "http://127.0.0.1:9/", "verify": False})
    replies = await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(40)))

    async def all_failed_once() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["undelivered"] == 120)

    await until(all_failed_once)
    await meta.sim("POST", "webhooks", {"url": receiver.url})
    await eventually(lambda: len(receiver.statuses()) == 120)
    assert Counter(status["id"] for status in receiver.statuses()) == {reply.wamid: 3 for reply in replies}


async def test_a_receiver_that_is_down_is_probed_and_not_hammered(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"batch_max": 1, "retry_delays": [0.0]}})
    await meta.sim("POST", "webhooks", {"url": "http://127.0.0.1:9/", "verify": False})
    await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(40)))
    loop = asyncio.get_running_loop()
    before, started = (await meta.sim("GET", "webhooks"))["posts"], loop.time()

    async def some_more() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["posts"] >= before + 5)

    await until(some_more)
    posts = (await meta.sim("GET", "webhooks"))["posts"] - before
    assert posts <= (loop.time() - started) * 10 + 2


async def test_deliveries_older_than_the_limit_are_given_up(meta: Meta, receiver: Receiver) -> None:
    receiver.answers = [500] * 1000
    await meta.sim("PATCH", "settings", {"webhooks": {"give_up_after": 3600.0}})
    await meta.send("+15550109185")

    async def dropped() -> bool:
        await meta.sim("POST", "clock", {"advance": 1800})
        return bool((await meta.sim("GET", "webhooks"))["dropped"] == 1)

    await until(dropped)
    assert (await meta.sim("GET", "webhooks"))["undelivered"] == 0


async def test_a_batch_is_never_larger_than_the_setting(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"batch_max": 7}})
    await meta.sim("POST", "webhooks/pause")
    await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(20)))
    await eventually_undelivered(meta, 60)
    await meta.sim("POST", "webhooks/resume")
    await eventually(lambda: len(receiver.statuses()) == 60)
    sizes = [body.count(b'"status":"') for body in receiver.bodies]
    assert max(sizes) == 7


async def eventually_undelivered(meta: Meta, count: int) -> None:
    """Waits until so many updates stand in the queue."""

    async def enough() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["undelivered"] == count)

    await until(enough)


async def test_duplicates_and_disorder_come_at_their_rates(meta: Meta, receiver: Receiver) -> None:
    rates = {"duplicate_rate": 1.0, "duplicate_delay": [0, 0.1], "reorder_rate": 1.0, "reorder_delay": [0, 0.3]}
    await meta.sim("PATCH", "settings", {"webhooks": rates})
    replies = await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(40)))
    await eventually(lambda: len(receiver.statuses()) == 240)
    orders = [receiver.names(reply.wamid) for reply in replies]
    assert all(sorted(order) == ["delivered"] * 2 + ["read"] * 2 + ["sent"] * 2 for order in orders)
    rank = ["sent", "delivered", "read"].index
    assert any(order != sorted(order, key=rank) for order in orders)


async def test_a_status_may_arrive_before_the_answer(meta: Meta, receiver: Receiver) -> None:
    timeline = {"sent_before_answer_rate": 1.0, "latency_median": 0.5, "latency_p99": 0.5}
    await meta.sim("PATCH", "settings", {"timeline": timeline})
    sending = asyncio.ensure_future(meta.send())
    await eventually(lambda: receiver.names()[:1] == ["sent"])
    assert not sending.done()
    await sending


@pytest.mark.parametrize("mode", ["wrong_signature", "missing_signature", "altered_body"])
async def test_a_delivery_with_a_bad_signature_can_be_asked_for(meta: Meta, receiver: Receiver, mode: str) -> None:
    answer = await meta.sim("POST", "webhooks/bad", {"mode": mode})
    assert answer["http"] == 401
    assert (receiver.refused, receiver.bodies) == (1, [])


@pytest.mark.parametrize(
    "mode",
    [
        "plain",
        "old",
        "unknown_wamid",
        "unknown_field",
        "unknown_status",
        "numeric_timestamp",
        "millisecond_timestamp",
        "bsuid_only",
        "big_body",
        "two_numbers",
        "app_error",
    ],
)
async def test_a_strange_but_signed_delivery_can_be_asked_for(meta: Meta, receiver: Receiver, mode: str) -> None:
    answer = await meta.sim("POST", "webhooks/bad", {"mode": mode})
    assert answer["http"] == 200
    json.loads(receiver.bodies[0])


async def test_strange_deliveries_are_strange_in_the_way_they_say(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send("+15550109185", biz_opaque_callback_data="ours")
    await eventually(lambda: receiver.names() == ["sent"])
    receiver.bodies.clear()
    for mode in ("unknown_status", "numeric_timestamp", "millisecond_timestamp", "bsuid_only", "unknown_wamid"):
        await meta.sim("POST", "webhooks/bad", {"mode": mode, "wamid": reply.wamid})
    strange, numeric, milliseconds, bsuid, unknown = receiver.statuses()
    assert strange["status"] == "teleported"
    assert isinstance(numeric["timestamp"], int)
    assert len(milliseconds["timestamp"]) == 13
    assert "recipient_id" not in bsuid
    assert bsuid["biz_opaque_callback_data"] == "ours"
    assert unknown["id"] != reply.wamid


async def test_the_big_body_has_three_megabytes(meta: Meta, receiver: Receiver) -> None:
    assert (await meta.sim("POST", "webhooks/bad", {"mode": "big_body"}))["bytes"] == 3 * 1024 * 1024


async def test_two_numbers_can_share_a_delivery(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "webhooks/bad", {"mode": "two_numbers"})
    numbers = {value["metadata"]["phone_number_id"] for value in receiver.changes("messages")}
    assert len(numbers) == 2


async def test_an_inbound_button_quotes_the_last_message_to_the_person(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send()
    await meta.sim("POST", "inbound", {"from": "+15550100777", "type": "button", "body": "Stop", "context": "last"})
    await eventually(receiver.inbound)
    (message,) = receiver.inbound()
    assert message["button"] == {"text": "Stop", "payload": "Stop"}
    assert message["context"]["id"] == reply.wamid
    assert message["from"] == "15550100777"
    (value,) = [value for value in receiver.changes("messages") if "messages" in value]
    assert value["metadata"]["phone_number_id"] == FAST_NUMBER


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_inbound_message_can_be_made(meta: Meta, receiver: Receiver, kind: str) -> None:
    await meta.sim("POST", "inbound", {"from": "15550100777", "type": kind, "extra": {"referral": {"body": "ad"}}})
    await eventually(receiver.inbound)
    (message,) = receiver.inbound()
    assert (message["type"], bool(message[kind]), message["referral"]) == (kind, True, {"body": "ad"})


async def test_an_inbound_message_may_hide_the_phone_number(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "inbound", {"from": "15550100777", "bsuid_only": True})
    await eventually(receiver.inbound)
    assert "15550100777" not in receiver.bodies[0].decode().replace(receiver.inbound()[0]["id"], "")
    assert receiver.inbound()[0]["from_user_id"].startswith("US.")


async def test_a_replay_repeats_the_last_body_byte_for_byte(meta: Meta, receiver: Receiver) -> None:
    assert (await meta.call("POST", "/_sim/webhooks/bad", json={"mode": "replay"})).status == 400
    await meta.send("+15550109185")
    await eventually(lambda: receiver.names() == ["sent"])
    await meta.sim("POST", "webhooks/bad", {"mode": "replay"})
    assert len(receiver.bodies) == 2
    assert len(set(receiver.bodies)) == 1


async def test_the_file_of_an_inbound_message_can_be_fetched_for_a_week(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "inbound", {"from": "15550100777", "type": "image"})
    await eventually(receiver.inbound)
    media_id = receiver.inbound()[0]["image"]["id"]
    url = (await meta.call("GET", f"/v25.0/{media_id}")).json["url"]
    assert (await meta.call("GET", url)).raw == b"a small image"
    await meta.sim("POST", "clock", {"advance": 7 * 86_400 + 1})
    assert (await meta.call("GET", f"/v25.0/{media_id}")).code == 100


async def test_several_changes_may_share_an_entry(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"batch_max": 1000, "statuses_per_change": 7}})
    await meta.sim("POST", "webhooks/pause")
    await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(20)))
    await meta.sim("POST", f"numbers/{FAST_NUMBER}", {"event": "FLAGGED"})
    await eventually_undelivered(meta, 61)
    await meta.sim("POST", "webhooks/resume")
    await eventually(lambda: len(receiver.statuses()) == 60)
    (body,) = receiver.bodies
    (entry,) = json.loads(body)["entry"]
    sizes = [len(change["value"]["statuses"]) for change in entry["changes"] if "statuses" in change["value"]]
    assert (max(sizes), sum(sizes)) == (7, 60)
    assert "phone_number_quality_update" in {change["field"] for change in entry["changes"]}


async def test_a_receiver_that_never_answers_costs_no_more_than_the_backlog(meta: Meta) -> None:
    # The kernel takes the connection, and nobody ever reads from it.
    silent = socket.create_server(("127.0.0.1", 0), backlog=512)
    await meta.sim("POST", "webhooks", {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/", "verify": False})
    limits = {"backlog_limit": 50, "batch_max": 5, "timeout": 0.2, "retry_delays": [0.0]}
    await meta.sim("PATCH", "settings", {"webhooks": limits})
    await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(100)))

    async def all_announced() -> bool:
        return bool((await meta.summary())["planned"] == 0 and (await meta.sim("GET", "webhooks"))["offered"] == 300)

    await until(all_announced)
    state = await meta.sim("GET", "webhooks")
    # What is under way when the limit is met is not taken back.
    assert state["undelivered"] <= 50 + 5 * 16
    assert state["dropped"] == 300 - state["undelivered"]
    silent.close()
