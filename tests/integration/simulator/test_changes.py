"""What is changed through the control API is announced as Meta announces it, and a callback proves itself first."""

from typing import Any

import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import FAST_NUMBER, NUMBER, WABA, Meta, Receiver

QUALITY = "phone_number_quality_update"
NAME = "phone_number_name_update"
TEMPLATE = "templates/spring_sale:en_US"


@pytest.mark.parametrize(
    ("path", "changes", "field", "told"),
    [
        (f"numbers/{NUMBER}", {"quality": "RED"}, QUALITY, {"event": "FLAGGED"}),
        (f"numbers/{NUMBER}", {"status": "FLAGGED"}, QUALITY, {"event": "FLAGGED"}),
        (f"numbers/{NUMBER}", {"throughput": 1000}, QUALITY, {"event": "THROUGHPUT_UPGRADE"}),
        (f"numbers/{NUMBER}", {"event": "ONBOARDING", "quality": "RED"}, QUALITY, {"event": "ONBOARDING"}),
        (
            f"numbers/{NUMBER}",
            {"tier": "TIER_2K"},
            QUALITY,
            {"event": "DOWNGRADE", "current_limit": "TIER_2K", "old_limit": "TIER_UNLIMITED"},
        ),
        (
            f"numbers/{NUMBER}",
            {"verified_name": "Shop"},
            NAME,
            {"decision": "APPROVED", "requested_verified_name": "Shop", "display_phone_number": "12025550181"},
        ),
        (f"numbers/{NUMBER}", {"name_status": "DECLINED"}, NAME, {"decision": "DECLINED"}),
        (
            f"accounts/{WABA}",
            {"tier": "TIER_2K"},
            "business_capability_update",
            {"max_daily_conversations_per_business": "TIER_2K"},
        ),
        (TEMPLATE, {"status": "DISABLED"}, "message_template_status_update", {"event": "DISABLED"}),
        (TEMPLATE, {"quality": "YELLOW"}, "message_template_quality_update", {"new_quality_score": "YELLOW"}),
        (TEMPLATE, {"category": "UTILITY"}, "template_category_update", {"new_category": "UTILITY"}),
    ],
)
async def test_a_change_is_announced_once(
    meta: Meta, receiver: Receiver, path: str, *, changes: dict[str, Any], field: str, told: dict[str, str]
) -> None:
    await meta.sim("POST", path, changes)
    await eventually(lambda: receiver.changes(field))
    (value,) = receiver.changes(field)
    assert told.items() <= value.items()


async def test_a_number_that_is_good_again_is_unflagged(meta: Meta, receiver: Receiver) -> None:
    for changes in ({"flag": True}, {"status": "CONNECTED", "quality": "GREEN"}, {"tier": "TIER_2K"}):
        await meta.sim("POST", f"numbers/{NUMBER}", changes)
    await meta.sim("POST", f"numbers/{NUMBER}", {"tier": "TIER_10K"})
    await eventually(lambda: len(receiver.changes(QUALITY)) == 4)
    events = [value["event"] for value in receiver.changes(QUALITY)]
    assert events == ["FLAGGED", "UNFLAGGED", "DOWNGRADE", "UPGRADE"]


async def test_what_changes_nothing_is_not_announced(meta: Meta) -> None:
    changes = {"quality": "GREEN", "tier": "TIER_UNLIMITED", "verified_name": "Demo Shop", "name_status": "APPROVED"}
    await meta.sim("POST", f"numbers/{NUMBER}", changes)
    await meta.sim("POST", f"numbers/{FAST_NUMBER}", {"throughput": 1500, "refuse_code": 131045})
    assert (await meta.sim("GET", "webhooks"))["offered"] == 0


@pytest.mark.parametrize(
    ("path", "changes", "state"),
    [
        (f"numbers/{NUMBER}", {"status": "BANNED"}, "BLOCKED"),
        (f"numbers/{NUMBER}", {"status": "DISCONNECTED"}, "BLOCKED"),
        (f"numbers/{NUMBER}", {"refuse_code": 131045}, "BLOCKED"),
        (f"numbers/{NUMBER}", {"status": "FLAGGED"}, "LIMITED"),
        (f"accounts/{WABA}", {"refuse_code": 131031}, "BLOCKED"),
        (f"accounts/{WABA}", {"restrict_seconds": 60}, "LIMITED"),
    ],
)
async def test_the_health_of_a_number_says_whether_it_can_send(
    meta: Meta, path: str, changes: dict[str, Any], state: str
) -> None:
    await meta.sim("POST", path, changes)
    reply = await meta.call("GET", f"/v25.0/{NUMBER}?fields=health_status")
    assert reply.json["health_status"]["can_send_message"] == state


async def test_a_verdict_of_good_quality_is_announced(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", TEMPLATE, {"quality": "YELLOW"})
    for verdict in ("hold", "release"):
        await meta.sim("POST", TEMPLATE, {"pacing": verdict})
    await eventually(lambda: len(receiver.changes("message_template_quality_update")) == 2)
    assert receiver.changes("message_template_quality_update")[1]["new_quality_score"] == "GREEN"


async def test_a_callback_is_only_taken_if_it_answers_the_challenge(meta: Meta, receiver: Receiver) -> None:
    receiver.echo = False
    refused = await meta.call("POST", "/_sim/webhooks", json={"url": receiver.url + "other"})
    assert (refused.status, "challenge" in refused.json["error"]) == (400, True)
    assert (await meta.sim("GET", "webhooks"))["url"] == receiver.url
    unasked = await meta.sim("POST", "webhooks", {"url": receiver.url + "other", "verify": False})
    assert unasked["url"] == receiver.url + "other"
    receiver.echo = True
    assert (await meta.sim("POST", "webhooks", {"url": receiver.url}))["url"] == receiver.url
    assert (await meta.sim("POST", "webhooks", {"url": ""}))["url"] == ""
