"""Faults by rule, over the wire."""

import asyncio

import aiohttp
import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import WABA, Meta, Receiver, until


async def test_a_rule_refuses_with_its_code_status_and_headers(meta: Meta) -> None:
    rule = {"endpoint": "messages", "trigger": "next", "n": 1, "code": 4, "http": 429, "headers": {"Retry-After": "7"}}
    await meta.sim("POST", "rules", rule)
    reply = await meta.send()
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (429, 4, "7")
    assert (await meta.send()).status == 200


async def test_an_error_without_a_body_can_be_made(meta: Meta) -> None:
    await meta.sim("POST", "rules", {"http": 502, "empty_body": True})
    reply = await meta.send()
    assert (reply.status, reply.raw) == (502, b"")


async def test_a_rule_for_another_endpoint_leaves_messages_alone(meta: Meta) -> None:
    await meta.sim("POST", "rules", {"endpoint": "templates", "code": 2})
    assert (await meta.send()).status == 200
    assert (await meta.call("GET", f"/v25.0/{WABA}/message_templates")).code == 2


async def test_authentication_goes_before_every_rule(meta: Meta) -> None:
    await meta.sim("POST", "rules", {"code": 2})
    assert (await meta.call("GET", f"/v25.0/{WABA}", token="wrong")).code == 190


async def test_an_answer_lost_after_the_accept_leaves_an_accepted_message(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "rules", {"endpoint": "messages", "action": "accept_and_drop"})
    with pytest.raises(aiohttp.ClientError):
        await meta.send("+15550100007", biz_opaque_callback_data="ours")
    listed = (await meta.sim("GET", "accepted?callback_data=ours"))["data"]
    assert [row["to"] for row in listed] == ["15550100007"]
    await eventually(lambda: receiver.names() == ["sent", "delivered", "read"])
    assert (await meta.sim("GET", "counters"))["accepted_unanswered.close"] == 1


@pytest.mark.parametrize("action", ["close", "reset"])
async def test_a_connection_lost_before_the_accept_leaves_nothing(meta: Meta, action: str) -> None:
    await meta.sim("POST", "rules", {"endpoint": "messages", "action": action})
    with pytest.raises(aiohttp.ClientError):
        await meta.send()
    assert (await meta.summary())["accepted"] == 0


async def test_a_slow_answer_does_not_hold_up_the_others(meta: Meta) -> None:
    await meta.sim("POST", "rules", {"endpoint": "messages", "action": "delay", "seconds": 30.0, "trigger": "next"})
    slow = asyncio.ensure_future(meta.send())
    await eventually_accepted(meta, 1)
    assert (await meta.send()).status == 200
    assert not slow.done()
    slow.cancel()
    await asyncio.wait([slow])


async def test_a_rule_that_delays_and_adds_headers_does_so_with_a_refusal_too(meta: Meta) -> None:
    rule = {"endpoint": "messages", "action": "delay", "seconds": 0.3, "headers": {"x-mark": "1"}}
    await meta.sim("POST", "rules", rule)
    loop = asyncio.get_running_loop()
    started = loop.time()
    reply = await meta.send(name="nothing")
    assert (reply.code, reply.headers["x-mark"], reply.headers["facebook-api-version"]) == (132001, "1", "v25.0")
    assert loop.time() - started >= 0.3


async def eventually_accepted(meta: Meta, count: int) -> None:
    """Waits until so many messages were accepted."""

    async def enough() -> bool:
        return bool((await meta.summary())["accepted"] == count)

    await until(enough)


async def test_random_losses_come_at_the_rate_of_the_profile(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"timeline": {"drop_rate": 0.5}})
    replies = await asyncio.gather(*(meta.send(f"+1555010{n:04d}") for n in range(200, 300)), return_exceptions=True)
    lost = sum(isinstance(reply, aiohttp.ClientError) for reply in replies)
    assert 25 < lost < 75
    assert (await meta.summary())["accepted"] == 100


async def test_a_removed_rule_strikes_no_more(meta: Meta) -> None:
    first = await meta.sim("POST", "rules", {"code": 2})
    assert (await meta.send()).code == 2
    await meta.sim("DELETE", f"rules/{first['id']}")
    assert (await meta.send()).code == 0
    assert (await meta.sim("GET", "rules"))["rules"] == []
