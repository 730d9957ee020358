"""Messages of a template that wait for the verdict on its quality."""

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import WABA, Meta, Receiver

TEMPLATE = "spring_sale:en_US"


async def _held(meta: Meta, to: str = "+15550100777") -> str:
    reply = await meta.send(to)
    assert reply.json["messages"][0]["message_status"] == "held_for_quality_assessment"
    return reply.wamid


@pytest.mark.parametrize(
    ("limit", "code"), [("reach", 131048), ("marketing", 131049), ("opt-out", 131050), ("by hand", 131026)]
)
async def test_a_released_message_keeps_the_failure_it_had_when_it_was_accepted(
    meta: Meta, receiver: Receiver, limit: str, code: int
) -> None:
    if limit == "reach":
        await meta.sim("PATCH", "settings", {"limits": {"reach_limits": {"TIER_250": 0}}})
        await meta.sim("POST", f"accounts/{WABA}", {"tier": "TIER_250"})
    elif limit == "marketing":
        await meta.sim("PATCH", "settings", {"limits": {"marketing_per_day": 1}})
        await meta.send()
    elif limit == "opt-out":
        await meta.sim("POST", "user_preferences", {"wa_id": "15550100777", "value": "stop"})
    else:
        await meta.sim("POST", "outcomes", {"recipients": ["+15550100777"], "outcome": {"fail": code}})
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "hold"})
    wamid = await _held(meta)
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "release"})
    await eventually(lambda: receiver.names(wamid)[-1:] in (["failed"], ["read"]))
    assert receiver.statuses(wamid)[-1].get("errors", [{"code": 0}])[0]["code"] == code


async def test_a_fate_after_spent_refusals_survives_the_wait(meta: Meta, receiver: Receiver) -> None:
    fate = {"refuse": 131016, "times": 1, "fail": 131026}
    await meta.sim("POST", "outcomes", {"recipients": ["+15550100777"], "outcome": fate})
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "hold"})
    assert (await meta.send()).code == 131016
    wamid = await _held(meta)
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "release"})
    await eventually(lambda: receiver.names(wamid) == ["failed"])


async def test_the_verdict_of_an_earlier_wait_ends_no_later_one(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "clock", {"factor": 0})
    limits = {"pacing_after": 1, "pacing_seconds": 3600, "pacing_verdict": "drop"}
    await meta.sim("PATCH", "settings", {"limits": limits})
    await meta.sim("POST", f"templates/{TEMPLATE}", {"quality": "YELLOW"})
    await meta.send("+15550100001")
    await _held(meta, "+15550100002")
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "release"})
    await meta.sim("POST", f"templates/{TEMPLATE}", {"pacing": "hold"})
    await meta.sim("POST", "clock", {"advance": 1800})
    await _held(meta, "+15550100003")
    await meta.sim("POST", "clock", {"advance": 1801})
    assert (await meta.summary())["held"] == 1
