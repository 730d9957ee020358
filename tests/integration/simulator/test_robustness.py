"""What a careless or hostile client does to the simulator, and what it is told."""

import asyncio
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes
from tests.integration.simulator.helpers import ACCESS_TOKEN, FAST_NUMBER, WABA, Meta, Receiver


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("PATCH", "settings", {"limits": {"pears": True}}, "there is no limits.pears"),
        ("PATCH", "settings", {"webhooks": {"batch_max": 0}}, "webhooks.batch_max"),
        ("PATCH", "settings", {"webhooks": {"batch_max": 1001}}, "webhooks.batch_max"),
        ("PATCH", "settings", {"timeline": {"drop_rate": 1.5}}, "timeline.drop_rate"),
        ("PATCH", "settings", {"timeline": {"sent_delay": [2, 1]}}, "timeline.sent_delay"),
        ("PATCH", "settings", {"timeline": {"failure_codes": ["x"]}}, "timeline.failure_codes.0"),
        ("PATCH", "settings", {"timeline": {"sent_delay": [0, 10**30]}}, "timeline.sent_delay.1"),
        ("POST", "clock", {"advance": 1e300}, "advance"),
        ("POST", "clock", {"factr": 2}, "there is no factr"),
        ("POST", "rules", {"headers": {"a": "b\r\nc: d"}}, "headers.a"),
        ("POST", "rules", {"http": 99_999}, "http"),
        ("POST", "rules", {"id": 5}, "id"),
        ("POST", "outcomes", {"recipients": ["1"], "outcome": {"effects": ["moon"]}}, "outcome.effects.0"),
        ("POST", "inbound", {"from": "15550100777", "frm": 1}, "there is no frm"),
        ("POST", "inbound", {"from": "15550100777", "phone_number_id": "1"}, "there is no number 1"),
        ("POST", "webhooks", {"url": "ftp://a"}, "http or https"),
        ("POST", "webhooks/bad", {"mode": "plain", "phone_number_id": "1"}, "there is no number 1"),
        ("GET", "accepted?limit=many", {}, "limit is a whole number"),
        ("GET", "summary", {"a": 1}, "there is no a"),
    ],
)
async def test_what_does_not_fit_is_named(meta: Meta, method: str, path: str, body: dict[str, Any], words: str) -> None:
    reply = await meta.call(method, "/_sim/" + path, json=body)
    assert reply.status == 400
    assert words in reply.json["error"]


async def test_a_body_that_is_no_json_is_told_so(meta: Meta) -> None:
    for data, words in ((b"{", "no JSON"), (b"[]", "must be a JSON object"), (b'{"seed": 1e999}', "no JSON")):
        reply = await meta.call("POST", "/_sim/reset", data=data)
        assert (reply.status, words in reply.json["error"]) == (400, True)


async def test_the_settings_it_shows_can_be_given_back(meta: Meta) -> None:
    shown = await meta.sim("GET", "settings")
    assert await meta.sim("PATCH", "settings", shown) == shown


async def test_control_calls_at_once_do_not_disturb_each_other(meta: Meta) -> None:
    calls = [meta.sim("POST", "rules", {"endpoint": "media", "code": 2}) for _ in range(40)]
    calls += [meta.sim("PATCH", "settings", {"limits": {"pacing_after": n}}) for n in range(40)]
    calls += [meta.sim("POST", "reset") for _ in range(3)]
    calls += [meta.sim("GET", "summary") for _ in range(40)]
    answers = await asyncio.gather(*calls)
    ids = [answer["id"] for answer in answers[:40]]
    assert len(set(ids)) >= 10
    assert (await meta.send()).status == 200


async def _raw(meta: Meta, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(meta.base.rpartition(":")[2]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /_sim/health HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", b"400"),
        (b"POST /_sim/reset HTTP/1.1\r\ncontent-length: 999999999999\r\n\r\n", b"413"),
        (b"POST /_sim/reset HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n", b"4"),
    ],
)
async def test_strange_http_is_answered_and_closed(meta: Meta, request_bytes: bytes, status: bytes) -> None:
    answer = await _raw(meta, request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)


async def test_an_upgrade_that_is_offered_is_not_taken_up_and_the_connection_goes_on(meta: Meta) -> None:
    offer = b"GET /_sim/health HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"
    answers = await _raw(meta, offer + b"GET /_sim/health HTTP/1.1\r\nconnection: close\r\n\r\n")
    assert answers.count(b"HTTP/1.1 200") == 2


async def test_an_upgrade_that_is_offered_with_a_body_is_not_taken_up(meta: Meta) -> None:
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQ"}
    reply = await meta.call("POST", "/_sim/rules", json={"code": 2}, headers=headers)
    assert reply.json == {"id": 1}


@pytest.mark.parametrize(
    "content",
    [
        {"type": {"a": 1}, "body": {"text": "b"}, "action": {}},
        {"type": "list", "body": {"text": "b"}, "action": {"button": "c", "sections": [{"rows": 5}]}},
        {"type": "list", "body": {"text": "b"}, "action": {"button": "c", "sections": [{"rows": ["d"]}]}},
        {"type": "list", "header": {"type": "image"}, "body": {"text": "b"}, "action": {"button": "c"}},
        {"type": "cta_url", "body": {"text": "b"}, "action": {"parameters": {"display_text": "c"}}},
    ],
)
async def test_interactive_content_of_the_wrong_shape_is_refused(meta: Meta, content: dict[str, Any]) -> None:
    body = {"messaging_product": "whatsapp", "to": "+15550100777", "type": "interactive", "interactive": content}
    reply = await meta.call("POST", f"/v25.0/{FAST_NUMBER}/messages", json=body)
    assert (reply.status, reply.code in (131008, 131009)) == (400, True)


async def test_a_very_long_user_id_is_refused(meta: Meta) -> None:
    body = {"messaging_product": "whatsapp", "recipient": "US." + "9" * 300, "type": "text", "text": {"body": "a"}}
    assert (await meta.call("POST", f"/v25.0/{FAST_NUMBER}/messages", json=body)).code == 131009


async def test_a_template_may_not_be_created_with_what_only_meta_says(meta: Meta) -> None:
    body = {"name": "mine", "language": "en", "category": "UTILITY", "quality": "GREEN", "id": "500000000000002"}
    components = [{"type": "BODY", "text": "Hello"}]
    created = await meta.call("POST", f"/v25.0/{WABA}/message_templates", json={**body, "components": components})
    assert created.json["id"] != "500000000000002"
    shown = await meta.call("GET", f"/v25.0/{created.json['id']}?fields=quality_score,status")
    assert shown.json["quality_score"] == {"score": "UNKNOWN"}


async def test_it_ends_at_once_when_it_is_told_to_whatever_is_under_way(tmp_path: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    variables = {
        "SIMULATOR_PROFILE": "fast",
        "SIMULATOR_ACCESS_TOKEN": ACCESS_TOKEN,
        "SIMULATOR_WEBHOOK_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/",
    }
    with Processes(directory=tmp_path, settings={}) as processes:
        process, url = processes.start_simulator(settings=variables)
        async with Meta(url) as meta:
            hanging = asyncio.ensure_future(meta.send("+15550109198"))
            await meta.sim("POST", "rules", {"action": "delay", "seconds": 500})
            await eventually(lambda: _delivers(meta))
            late = asyncio.ensure_future(meta.send())
            started = asyncio.get_running_loop().time()
            process.send(signal.SIGTERM)
            await eventually(lambda: not process.is_running(), timeout=3)
            assert asyncio.get_running_loop().time() - started < 2
            await asyncio.wait([hanging, late])
        assert "Traceback" not in process.command.log_file.read_text(encoding="utf-8")
    silent.close()


async def _delivers(meta: Meta) -> bool:
    return bool((await meta.sim("GET", "webhooks"))["in_flight"])


async def test_a_restart_continues_with_ids_of_its_own(tmp_path: Path, receiver: Receiver) -> None:
    variables = {"SIMULATOR_PROFILE": "fast", "SIMULATOR_ACCESS_TOKEN": ACCESS_TOKEN}
    ids = set()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with Processes(directory=tmp_path / name, settings={}) as processes:
            _, url = processes.start_simulator(settings=variables)
            async with Meta(url) as meta:
                ids.add((await meta.send()).wamid)
                assert (await meta.summary())["accepted"] == 1
    assert len(ids) == 2
