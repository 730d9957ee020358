"""Templates, numbers, media and subscriptions."""

from typing import Any

import aiohttp
import pytest

from tests.helpers.eventually import eventually
from tests.integration.simulator.helpers import ACCESS_TOKEN, FAST_NUMBER, NUMBER, WABA, Meta, Receiver, Reply, until

TEMPLATES = f"/v25.0/{WABA}/message_templates"


async def _follow(meta: Meta, path: str) -> list[list[dict[str, Any]]]:
    pages = []
    while path:
        reply = await meta.call("GET", path)
        pages.append(reply.json["data"])
        path = reply.json["paging"].get("next", "")
    return pages


async def test_pages_of_templates_are_followed_to_the_end(meta: Meta) -> None:
    pages = await _follow(meta, TEMPLATES + "?limit=5&fields=id,name,status")
    assert [len(page) for page in pages] == [5, 5, 5, 2]
    assert len({row["id"] for page in pages for row in page}) == 17
    assert set(pages[0][0]) == {"id", "name", "status"}


async def test_a_page_can_be_turned_back(meta: Meta) -> None:
    first = (await meta.call("GET", TEMPLATES + "?limit=4")).json
    second = (await meta.call("GET", first["paging"]["next"])).json
    assert (await meta.call("GET", second["paging"]["previous"])).json["data"] == first["data"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=approved", 8),
        ("status=PAUSED", 1),
        ("category=UTILITY", 3),
        ("language=de", 1),
        ("name=spring_sale", 2),
    ],
)
async def test_templates_can_be_filtered(meta: Meta, query: str, count: int) -> None:
    assert len((await meta.call("GET", f"{TEMPLATES}?{query}")).json["data"]) == count


async def test_a_field_that_does_not_exist_is_refused(meta: Meta) -> None:
    assert (await meta.call("GET", TEMPLATES + "?fields=nonsense")).code == 100


async def test_quality_and_rejection_are_told_when_asked(meta: Meta) -> None:
    fields = "quality_score,rejected_reason,parameter_format"
    reply = await meta.call("GET", f"/v25.0/500000000000012?fields={fields}")
    assert reply.json["rejected_reason"] == "ABUSIVE_CONTENT"
    assert reply.json["quality_score"] == {"score": "UNKNOWN"}


@pytest.mark.parametrize(("name", "verdict"), [("autumn_sale", "APPROVED"), ("reject_this", "REJECTED")])
async def test_a_new_template_is_reviewed(meta: Meta, receiver: Receiver, name: str, verdict: str) -> None:
    body = {
        "name": name,
        "language": "en_US",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Hello {{1}}"}],
    }
    created = await meta.call("POST", TEMPLATES, json=body)
    assert created.json["status"] == "PENDING"
    await eventually(lambda: receiver.changes("message_template_status_update"))
    (event,) = receiver.changes("message_template_status_update")
    assert (event["event"], str(event["message_template_id"])) == (verdict, created.json["id"])
    sent = await meta.send(name=name, values=("Ann",))
    assert sent.code == (0 if verdict == "APPROVED" else 132001)
    assert (await meta.call("POST", TEMPLATES, json=body)).code == 100


async def test_a_deleted_template_cannot_be_sent(meta: Meta) -> None:
    assert (await meta.call("DELETE", TEMPLATES + "?name=spring_sale")).json == {"success": True}
    assert (await meta.send()).code == 132001


async def test_pauses_grow_and_the_third_disables(meta: Meta, receiver: Receiver) -> None:
    for hours in (3, 6):
        await meta.sim("POST", "templates/spring_sale:en_US", {"pause": True})
        assert (await meta.send()).code == 132015
        await meta.sim("POST", "clock", {"advance": hours * 3600 - 60})
        assert (await meta.send()).code == 132015
        await meta.sim("POST", "clock", {"advance": 61})
        assert (await meta.send()).code == 0
    await meta.sim("POST", "templates/spring_sale:en_US", {"pause": True})
    assert (await meta.send()).code == 132016
    expected = ["PAUSED", "APPROVED", "PAUSED", "APPROVED", "DISABLED"]
    await eventually(lambda: [v["event"] for v in receiver.changes("message_template_status_update")] == expected)


async def test_a_paused_template_can_be_unpaused(meta: Meta) -> None:
    reply = await meta.call("POST", "/v25.0/500000000000011/unpause")
    assert reply.json == {"success": True}
    assert (await meta.send(name="winter_sale", values=("Ann",))).status == 200


async def test_a_number_tells_its_throughput_quality_and_limit(meta: Meta) -> None:
    fields = "throughput,quality_rating,whatsapp_business_manager_messaging_limit,display_phone_number,health_status"
    standard = (await meta.call("GET", f"/v25.0/{NUMBER}?fields={fields}")).json
    assert standard["throughput"] == {"level": "STANDARD"}
    assert standard["whatsapp_business_manager_messaging_limit"] == "TIER_UNLIMITED"
    listed = (await meta.call("GET", f"/v25.0/{WABA}/phone_numbers")).json["data"]
    assert [(row["id"], row["throughput"]["level"]) for row in listed] == [(NUMBER, "STANDARD"), (FAST_NUMBER, "HIGH")]


async def test_a_refused_call_tells_its_version_and_what_is_used(meta: Meta) -> None:
    reply = await meta.call("GET", f"/v19.0/{WABA}/message_templates?limit=many")
    assert (reply.code, reply.headers["facebook-api-version"]) == (100, "v19.0")
    assert reply.headers["x-business-use-case-usage"]


async def _upload(meta: Meta, data: bytes, kind: str) -> Reply:
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("file", data, filename="a", content_type=kind)
    return await meta.call("POST", f"/v25.0/{FAST_NUMBER}/media", data=form)


async def test_media_is_uploaded_described_downloaded_and_deleted(meta: Meta) -> None:
    data = bytes(range(256)) * 1000
    media_id = (await _upload(meta, data, "image/png")).json["id"]
    described = (await meta.call("GET", f"/v25.0/{media_id}?phone_number_id={FAST_NUMBER}")).json
    assert (described["mime_type"], described["file_size"]) == ("image/png", len(data))
    assert (await meta.call("GET", described["url"])).raw == data
    assert (await meta.call("GET", described["url"], token="wrong")).status == 401
    await meta.sim("POST", "clock", {"advance": 301})
    assert (await meta.call("GET", described["url"])).status == 404
    assert (await meta.call("DELETE", f"/v25.0/{media_id}")).json == {"success": True}
    assert (await meta.call("GET", f"/v25.0/{media_id}")).code == 100


async def test_media_of_another_number_or_an_unknown_type_is_refused(meta: Meta) -> None:
    media_id = (await _upload(meta, b"x", "image/jpeg")).json["id"]
    assert (await meta.call("GET", f"/v25.0/{media_id}?phone_number_id={NUMBER}")).code == 100
    assert (await _upload(meta, b"x", "application/x-thing")).code == 131053


async def test_a_subscription_needs_the_handshake(meta: Meta, receiver: Receiver) -> None:
    path = f"/v25.0/{WABA}/subscribed_apps"
    assert (await meta.call("POST", path)).json == {"success": True}
    receiver.echo = False
    assert (await meta.call("POST", path)).code == 100


async def test_an_account_may_have_a_callback_of_its_own(meta: Meta, receiver: Receiver) -> None:
    await meta.sim("POST", "webhooks", {"url": "http://127.0.0.1:9/", "verify": False})
    path = f"/v25.0/{WABA}/subscribed_apps"
    wrong = {"override_callback_uri": receiver.url, "verify_token": "wrong"}
    assert (await meta.call("POST", path, json=wrong)).code == 100
    assert (await meta.call("POST", path, json={"override_callback_uri": receiver.url})).status == 200
    assert (await meta.call("GET", path)).json["data"][0]["override_callback_uri"] == receiver.url
    reply = await meta.send()
    await eventually(lambda: receiver.names(reply.wamid) == ["sent", "delivered", "read"])


async def test_an_unsubscribed_account_gets_no_webhooks(meta: Meta, receiver: Receiver) -> None:
    await meta.call("DELETE", f"/v25.0/{WABA}/subscribed_apps")
    await meta.send()

    async def unsubscribed() -> bool:
        return bool((await meta.sim("GET", "webhooks"))["unsubscribed"] == 3)

    await until(unsubscribed)
    assert receiver.bodies == []


async def test_tokens_are_not_shown(meta: Meta) -> None:
    for path in ("settings", "webhooks", "counters", "health"):
        assert ACCESS_TOKEN not in str(await meta.sim("GET", path))


async def test_an_approved_template_is_edited_once_a_day_and_ten_times_a_month(meta: Meta) -> None:
    path = "/v25.0/500000000000002"
    edit = {"components": [{"type": "BODY", "text": "Hello {{1}}, {{2}}"}]}
    answers = []
    for _ in range(11):
        first, again = await meta.call("POST", path, json=edit), None
        await eventually_approved(meta, path)
        again = await meta.call("POST", path, json=edit)
        answers.append((first.code, again.code))
        await meta.sim("POST", "clock", {"advance": 86_401})
    assert answers == [(0, 100)] * 10 + [(100, 100)]


async def eventually_approved(meta: Meta, path: str) -> None:
    """Waits until the review of a template is over."""

    async def approved() -> bool:
        return bool((await meta.call("GET", path + "?fields=status")).json["status"] == "APPROVED")

    await until(approved)


async def test_a_pause_by_pacing_ends_only_when_somebody_ends_it(meta: Meta) -> None:
    await meta.sim("POST", "templates/spring_sale:en_US", {"pacing": "hold"})
    await meta.send()
    await meta.sim("POST", "templates/spring_sale:en_US", {"pacing": "drop"})
    await meta.sim("POST", "clock", {"advance": 86_400})
    assert (await meta.send()).code == 132015
    assert (await meta.call("POST", "/v25.0/500000000000002/unpause")).status == 200
    assert (await meta.send()).status == 200


@pytest.mark.parametrize("status", ["LIMIT_EXCEEDED", "PENDING_DELETION", "DELETED", "ARCHIVED", "IN_APPEAL"])
async def test_there_is_a_template_in_every_status_and_only_approved_ones_are_sent(meta: Meta, status: str) -> None:
    (template,) = (await meta.call("GET", f"{TEMPLATES}?status={status}")).json["data"]
    assert (await meta.send(name=template["name"], values=("Ann",))).code == 132001


@pytest.mark.parametrize("buttons", [5, ["x"], [{"type": "URL"}] * 3, [{"type": "QUICK_REPLY", "text": "x" * 26}]])
async def test_buttons_beyond_the_limits_are_refused(meta: Meta, buttons: object) -> None:
    components = [{"type": "BODY", "text": "Hello"}, {"type": "BUTTONS", "buttons": buttons}]
    body = {"name": "mine", "language": "en", "category": "UTILITY", "components": components}
    assert (await meta.call("POST", TEMPLATES, json=body)).code == 100
