"""What the last four digits of a number do."""

import aiohttp
import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, Meta, Receiver


@pytest.mark.parametrize(
    ("suffix", "http", "code", "times"),
    [
        ("9100", 400, 100, 0),
        ("9109", 400, 131009, 0),
        ("9130", 400, 131030, 0),
        ("9132", 400, 132000, 0),
        ("9156", 400, 131056, 3),
        ("9129", 429, 130429, 1),
        ("9116", 500, 131016, 2),
        ("9101", 500, 131000, 2),
        ("9102", 503, 2, 0),
        ("9190", 401, 190, 0),
        ("9131", 403, 131031, 0),
    ],
)
async def test_a_refused_suffix(meta: Meta, suffix: str, http: int, code: int, times: int) -> None:
    for _ in range(times or 4):
        reply = await meta.send(f"+1555010{suffix}")
        assert (reply.status, reply.code) == (http, code)
    assert (await meta.summary())["accepted"] == 0
    if times:
        assert (await meta.send(f"+1555010{suffix}")).status == 200


@pytest.mark.parametrize(("suffix", "setting"), [("9129", "throughput_http"), ("9156", "pair_http")])
async def test_a_limit_by_suffix_has_the_status_that_is_set_for_the_limit(
    meta: Meta, suffix: str, setting: str
) -> None:
    await meta.sim("PATCH", "settings", {"limits": {setting: 403}})
    assert (await meta.send(f"+1555010{suffix}")).status == 403


async def test_9132_says_how_many_parameters_were_expected(meta: Meta) -> None:
    reply = await meta.send("+15550109132")
    assert "does not match the expected number of params" in reply.json["error"]["error_data"]["details"]


async def test_what_is_taken_after_its_refusals_meets_the_limits(meta: Meta, receiver: Receiver) -> None:
    assert (await meta.send_text("+15550109129")).code == 130429
    reply = await meta.send_text("+15550109129")
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])
    assert receiver.statuses(reply.wamid)[0]["errors"][0]["code"] == 131047


async def test_what_was_set_to_happen_after_the_refusals_happens(meta: Meta, receiver: Receiver) -> None:
    fate = {"refuse": 131016, "times": 1, "fail": 131026}
    await meta.sim("POST", "outcomes", {"recipients": ["+15550100777"], "outcome": fate})
    assert (await meta.send()).code == 131016
    reply = await meta.send()
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])
    assert receiver.statuses(reply.wamid)[0]["errors"][0]["code"] == 131026


@pytest.mark.parametrize(
    ("suffix", "names", "code"),
    [
        ("9126", ["failed"], 131026),
        ("9142", ["failed"], 131042),
        ("9147", ["failed"], 131047),
        ("9148", ["failed"], 131048),
        ("9149", ["sent", "failed"], 131049),
        ("9150", ["failed"], 131050),
        ("9153", ["failed"], 131053),
        ("9172", ["failed"], 130472),
        ("9188", ["sent", "delivered", "failed"], 131026),
        ("9187", ["read", "delivered", "sent"], 0),
        ("9185", ["sent"], 0),
        ("0007", ["sent", "delivered", "read"], 0),
    ],
)
async def test_an_accepted_suffix(meta: Meta, receiver: Receiver, suffix: str, names: list[str], code: int) -> None:
    reply = await meta.send(f"+1555010{suffix}")
    assert reply.status == 200
    await eventually(lambda: receiver.names(reply.wamid) == names)
    last = receiver.statuses(reply.wamid)[-1]
    assert last.get("errors", [{"code": 0}])[0]["code"] == code


async def test_9187_comes_in_disorder_with_the_times_of_what_happened(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"timestamps": "milliseconds"}})
    reply = await meta.send("+15550109187")
    await eventually(lambda: receiver.names(reply.wamid) == ["read", "delivered", "sent"])
    times = [int(status["timestamp"]) for status in receiver.statuses(reply.wamid)]
    assert times[0] > times[1] > times[2]
    assert times[0] <= (await meta.sim("GET", "clock"))["now"] * 1000
    (row,) = (await meta.sim("GET", "accepted"))["data"]
    assert [int(status["time"] * 1000) for status in row["statuses"]] == times


async def test_the_same_status_comes_again_with_everything_it_had_before(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("PATCH", "settings", {"webhooks": {"timestamps": "milliseconds", "conversation": True}})
    reply = await meta.send("+15550109186")
    await eventually(lambda: len(receiver.names(reply.wamid)) == 9)
    for name in ("sent", "delivered", "read"):
        first, *others = [status for status in receiver.statuses(reply.wamid) if status["status"] == name]
        assert others == [first, first]


async def test_9115_is_held_and_released(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send("+15550109115")
    assert reply.json["messages"][0]["message_status"] == "held_for_quality_assessment"
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])


async def test_9135_is_held_and_dropped_and_pauses_the_template(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send("+15550109135")
    await eventually(lambda: receiver.names(reply.wamid) == ["failed"])
    assert receiver.statuses(reply.wamid)[0]["errors"][0]["code"] == 132015
    await eventually(lambda: receiver.changes("message_template_status_update"))
    (event,) = receiver.changes("message_template_status_update")
    assert (event["event"], event["message_template_name"]) == ("PAUSED", "spring_sale")
    assert (await meta.send()).code == 132015


async def test_9150_stops_marketing_to_the_person(meta: Meta, receiver: Receiver) -> None:
    await meta.send("+15550109150")
    await eventually(lambda: receiver.changes("user_preferences"))
    (preference,) = receiver.changes("user_preferences")[0]["user_preferences"]
    assert (preference["wa_id"], preference["value"]) == ("15550109150", "stop")


async def test_9148_flags_the_number(meta: Meta, receiver: Receiver) -> None:
    await meta.send("+15550109148")
    await eventually(lambda: receiver.changes("phone_number_quality_update"))
    reply = await meta.call("GET", f"/v25.0/{FAST_NUMBER}?fields=status,quality_rating")
    assert (reply.json["status"], reply.json["quality_rating"]) == ("FLAGGED", "RED")


async def test_9131_announces_a_restriction(meta: Meta, receiver: Receiver) -> None:
    await meta.send("+15550109131")
    await eventually(lambda: receiver.changes("account_update"))
    assert receiver.changes("account_update")[0]["event"] == "ACCOUNT_RESTRICTION"
    assert (await meta.send()).code == 131031


async def test_9186_announces_every_status_twice_and_once_more_later(meta: Meta, receiver: Receiver) -> None:
    reply = await meta.send("+15550109186")
    await eventually(lambda: len(receiver.names(reply.wamid)) == 9)
    assert sorted(receiver.names(reply.wamid)) == ["delivered"] * 3 + ["read"] * 3 + ["sent"] * 3


async def test_9198_is_accepted_and_never_answered(meta: Meta, receiver: Receiver) -> None:
    with pytest.raises(TimeoutError):
        await meta.call(
            "POST",
            f"/v25.0/{FAST_NUMBER}/messages",
            json={
                "messaging_product": "whatsapp",
                "to": "+15550109198",
                "type": "template",
                "template": {"name": "welcome", "language": {"code": "en_US"}},
            },
            timeout=aiohttp.ClientTimeout(total=0.3),
        )
    assert (await meta.summary())["accepted"] == 1
    await eventually(lambda: receiver.names() == ["sent", "delivered", "read"])


async def test_9199_is_reset_and_not_accepted(meta: Meta) -> None:
    with pytest.raises(aiohttp.ClientError):
        await meta.send("+15550109199")
    assert (await meta.summary())["accepted"] == 0
