"""The limits of a number, a pair, an account and a person."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, NUMBER, WABA, Meta, Receiver, Reply


async def test_a_standard_number_takes_80_in_a_burst_and_refuses_the_rest(meta: Meta) -> None:
    replies = await asyncio.gather(*(meta.send(f"+1555010{n:04d}", number=NUMBER) for n in range(150)))
    codes = Counter(reply.code for reply in replies)
    # While the burst is on its way a few tokens come back.
    assert 80 <= codes[0] <= 120
    assert codes[0] + codes[130429] == 150
    assert {reply.status for reply in replies} == {200, 429}
    pace = (await meta.sim("GET", "pace"))["numbers"][NUMBER]
    assert pace["accepted"] == sum(pace["per_second"]) == pace["most_in_any_window"] == codes[0]


async def test_the_status_of_a_throughput_refusal_is_a_setting(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"throughput_http": 400}})
    await meta.sim("POST", f"numbers/{NUMBER}", {"throughput": 1})
    replies = [await meta.send("+15550100777", number=NUMBER) for _ in range(3)]
    assert (replies[-1].status, replies[-1].code) == (400, 130429)


async def test_inbound_messages_take_throughput_too(meta: Meta) -> None:
    await meta.sim("POST", f"numbers/{NUMBER}", {"throughput": 2})
    for _ in range(4):
        await meta.sim("POST", "inbound", {"from": "15550100777", "phone_number_id": NUMBER})
    assert (await meta.send(number=NUMBER)).code == 130429


async def test_the_46th_message_to_one_person_is_refused_until_6_seconds_pass(meta: Meta) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    codes = [(await meta.send()).code for _ in range(46)]
    assert codes == [0] * 45 + [131056]
    assert (await meta.send("+15550100778")).status == 200
    await meta.sim("POST", "clock", {"advance": 6})
    assert [(await meta.send()).code for _ in range(2)] == [0, 131056]


@pytest.mark.parametrize("mode", ["async", "sync", "silent"])
async def test_beyond_the_daily_reach(meta: Meta, receiver: Receiver, mode: str) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": mode, "reach_limits": {"TIER_250": 3}}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    for person in range(3):
        await meta.send(f"+1555010000{person}")
    assert (await meta.send("+15550100000")).status == 200
    beyond = await meta.send("+15550100009")
    if mode == "sync":
        assert beyond.code == 131048
        return
    await eventually(lambda: receiver.names().count("read") == 4)
    failed = [status["errors"][0]["code"] for status in receiver.statuses(beyond.wamid)]
    assert failed == ([131048] if mode == "async" else [])


async def test_the_reach_moves_on_after_a_day(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": "sync", "reach_limits": {"TIER_250": 1}}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    assert [(await meta.send(f"+155501000{n:02d}")).code for n in range(2)] == [0, 131048]
    await meta.sim("POST", "clock", {"advance": 86_401})
    assert (await meta.send("+15550100001")).code == 0


async def test_the_day_of_a_person_who_was_reached_begins_with_the_last_message(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": "sync", "reach_limits": {"TIER_250": 1}}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    assert (await meta.send("+15550100000")).code == 0
    await meta.sim("POST", "clock", {"advance": 80_000})
    assert (await meta.send("+15550100000")).code == 0
    await meta.sim("POST", "clock", {"advance": 80_000})
    assert (await meta.send("+15550100001")).code == 131048
    await meta.sim("POST", "clock", {"advance": 6_401})
    assert (await meta.send("+15550100001")).code == 0


async def test_whom_no_message_reached_takes_nobody_elses_place(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": "sync", "reach_limits": {"TIER_250": 1}}})
    await meta.sim("PATCH", "settings", {"timeline": {"failure_rate": 1.0, "failure_codes": [131026]}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    first, second = await meta.send("+15550100777"), await meta.send("+15550100777")
    await eventually(lambda: receiver.names(first.wamid)[-1:] == receiver.names(second.wamid)[-1:] == ["failed"])
    await meta.sim("PATCH", "settings", {"timeline": {"failure_rate": 0.0}})
    assert [(await meta.send(f"+1555010000{n}")).code for n in range(2)] == [0, 131048]


async def test_answers_inside_the_window_reach_nobody_new(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"reach": "sync", "reach_limits": {"TIER_250": 1}}})
    await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    await meta.sim("POST", "inbound", {"from": "15550100777", "phone_number_id": FAST_NUMBER})
    assert [(await meta.send(f"+1555010{n}")).code for n in ("0777", "0001", "0002")] == [0, 0, 131048]


async def test_a_restricted_account_may_answer_and_begin_nothing(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    await meta.sim("POST", "inbound", {"from": "15550100001", "phone_number_id": FAST_NUMBER})
    await meta.sim("POST", f"accounts/{WABA}", {"restrict_seconds": 3600})
    refused = await meta.send("+15550100777")
    assert (refused.status, refused.code) == (403, 131031)
    assert [(await meta.send("+15550100001")).code, (await meta.send_text("+15550100001")).code] == [0, 0]
    health = await meta.call("GET", f"/v25.0/{WABA}?fields=health_status")
    assert health.json["health_status"]["can_send_message"] == "LIMITED"
    await eventually(lambda: receiver.changes("account_update"))
    (told,) = receiver.changes("account_update")[0]["restriction_info"]
    left = told["expiration"] - (await meta.sim("GET", "clock"))["now"]
    await meta.sim("POST", "clock", {"advance": left})
    assert (await meta.send("+15550100777")).code == 0


async def test_a_restriction_can_be_lifted(meta: Meta) -> None:
    await meta.sim("POST", f"accounts/{WABA}", {"restrict_seconds": 3600})
    await meta.sim("POST", f"accounts/{WABA}", {"refuse_code": 0})
    assert (await meta.send()).code == 0


async def test_by_chance_only_marketing_outside_the_window_meets_the_limit_of_marketing(
    meta: Meta, receiver: Receiver
) -> None:
    await meta.sim("PATCH", "settings", {"timeline": {"failure_rate": 1.0, "failure_codes": [131049, 131026]}})
    people = [f"+1555010{n:04d}" for n in range(200, 220)]
    for person in people[:10]:
        await meta.sim("POST", "inbound", {"from": person, "phone_number_id": FAST_NUMBER})
    marketing = [await meta.send(person) for person in people]
    utility = [await meta.send(person, name="welcome", values=()) for person in people]
    texts = [await meta.send_text(person) for person in people[:10]]
    await eventually(lambda: receiver.names().count("failed") == 50)
    assert _codes(receiver, marketing[10:]) == {131026, 131049}
    assert _codes(receiver, [*marketing[:10], *utility, *texts]) == {131026}


async def test_where_no_failure_by_chance_fits_nothing_fails(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"timeline": {"failure_rate": 1.0, "failure_codes": [131049]}})
    reply = await meta.send(name="welcome", values=())
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])


def _codes(receiver: Receiver, replies: list[Reply]) -> set[int]:
    wamids = {reply.wamid for reply in replies}
    failed = [status for status in receiver.statuses() if status["id"] in wamids and status["status"] == "failed"]
    return {status["errors"][0]["code"] for status in failed}


@pytest.mark.parametrize(
    ("kind", "is_open", "price"),
    [
        ("marketing", True, "regular"),
        ("utility", False, "regular"),
        ("utility", True, "free_customer_service"),
        ("service", True, "free_customer_service"),
    ],
)
async def test_inside_the_window_utility_is_free_and_marketing_is_not(
    meta: Meta, receiver: Receiver, kind: str, is_open: bool, price: str
) -> None:
    if is_open:
        await meta.sim("POST", "inbound", {"from": "15550100777", "phone_number_id": FAST_NUMBER})
    sends = {"marketing": meta.send, "utility": _send_welcome(meta), "service": meta.send_text}
    reply = await sends[kind]("+15550100777")
    await eventually(lambda: receiver.names(reply.wamid)[:1] == ["sent"])
    pricing = receiver.statuses(reply.wamid)[0]["pricing"]
    assert pricing == {"billable": price == "regular", "pricing_model": "PMP", "type": price, "category": kind}


def _send_welcome(meta: Meta) -> Callable[[str], Awaitable[Reply]]:
    return lambda to: meta.send(to, name="welcome", values=())


async def test_marketing_beyond_the_daily_number_fails_and_a_retry_within_a_day_too(
    meta: Meta, receiver: Receiver
) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"marketing_per_day": 1}})
    first, second = await meta.send(), await meta.send()
    utility = await meta.send(name="welcome", values=())
    await eventually(lambda: receiver.names(second.wamid) == ["sent", "failed"])
    assert receiver.statuses(second.wamid)[1]["errors"][0]["code"] == 131049
    await eventually(lambda: receiver.names(first.wamid)[-1:] == receiver.names(utility.wamid)[-1:] == ["read"])
    await meta.sim("POST", "clock", {"advance": 86_401})
    later = await meta.send()
    await eventually(lambda: receiver.names(later.wamid)[-1:] == ["read"])


async def test_who_stopped_marketing_gets_none_until_they_resume(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "user_preferences", {"wa_id": "15550100777", "value": "stop"})
    stopped = await meta.send()
    utility = await meta.send(name="welcome", values=())
    await eventually(lambda: receiver.names(stopped.wamid) == ["failed"])
    assert receiver.statuses(stopped.wamid)[0]["errors"][0]["code"] == 131050
    await eventually(lambda: receiver.names(utility.wamid)[-1:] == ["read"])
    await meta.sim("POST", "user_preferences", {"wa_id": "15550100777", "value": "resume"})
    resumed = await meta.send()
    await eventually(lambda: receiver.names(resumed.wamid)[-1:] == ["read"])
    values = [value["user_preferences"][0]["value"] for value in receiver.changes("user_preferences")]
    assert values == ["stop", "resume"]


async def test_an_upgrade_makes_the_number_unusable_for_a_minute_and_then_fast(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", f"numbers/{NUMBER}", {"upgrade": True})
    during = await meta.send(number=NUMBER)
    assert (during.status, during.code) == (500, 131057)
    await meta.sim("POST", "clock", {"advance": 61})
    assert (await meta.send(number=NUMBER)).status == 200
    await eventually(lambda: receiver.changes("phone_number_quality_update"))
    assert receiver.changes("phone_number_quality_update")[0]["event"] == "THROUGHPUT_UPGRADE"
    reply = await meta.call("GET", f"/v25.0/{NUMBER}?fields=throughput")
    assert reply.json["throughput"] == {"level": "HIGH"}


async def test_management_calls_are_counted_and_refused_beyond_the_hour(meta: Meta) -> None:
    await meta.sim("PATCH", "settings", {"limits": {"management_calls_per_hour": 4}})
    replies = [await meta.call("GET", f"/v25.0/{WABA}/phone_numbers") for _ in range(5)]
    assert [reply.code for reply in replies] == [0, 0, 0, 0, 80007]
    assert '"call_count":50' in replies[1].headers["x-business-use-case-usage"]
    assert '"estimated_time_to_regain_access":60' in replies[4].headers["x-business-use-case-usage"]
    assert (await meta.send()).status == 200
    await meta.sim("POST", "clock", {"advance": 3601})
    assert (await meta.call("GET", f"/v25.0/{WABA}/phone_numbers")).code == 0


@pytest.mark.parametrize(("verdict", "last"), [("release", "read"), ("drop", "failed")])
async def test_a_paced_template_holds_what_comes_after_the_first_ones(
    meta: Meta, receiver: Receiver, verdict: str, last: str
) -> None:
    changes = {"pacing_after": 1, "pacing_seconds": 3600, "pacing_verdict": verdict}
    await meta.sim("PATCH", "settings", {"limits": changes})
    replies = [await meta.send(f"+155501000{n:02d}", name="coupon_offer", **_coupon()) for n in range(3)]
    words = [reply.json["messages"][0]["message_status"] for reply in replies]
    assert words == ["accepted", "held_for_quality_assessment", "held_for_quality_assessment"]
    await eventually(lambda: receiver.names(replies[0].wamid)[-1:] == ["read"])
    assert (await meta.summary())["held"] == 2
    await meta.sim("POST", "clock", {"advance": 3601})
    held = [reply.wamid for reply in replies[1:]]
    await eventually(lambda: [receiver.names(wamid)[-1:] for wamid in held] == [[last], [last]])
    paused = [value["event"] for value in receiver.changes("message_template_status_update")]
    assert paused == (["PAUSED"] if verdict == "drop" else [])


def _coupon() -> dict[str, Any]:
    code = {"type": "coupon_code", "coupon_code": "SAVE20"}
    components = [
        {"type": "body", "parameters": [{"type": "text", "text": "Ann"}]},
        {"type": "button", "sub_type": "copy_code", "index": 0, "parameters": [code]},
    ]
    return {"template": {"name": "coupon_offer", "language": {"code": "en_US"}, "components": components}}


async def test_a_number_told_to_refuse_does_so(meta: Meta) -> None:
    await meta.sim("POST", f"numbers/{FAST_NUMBER}", {"refuse_code": 133010})
    assert (await meta.send()).code == 133010
    await meta.sim("POST", f"numbers/{FAST_NUMBER}", {"refuse_code": 0})
    assert (await meta.send()).code == 0
