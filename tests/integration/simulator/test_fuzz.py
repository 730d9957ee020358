"""Random JSON on every door of a running simulator: an answer in JSON each time, never 500, never a traceback."""

import copy
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.processes import Processes
from tests.integration.simulator.helpers import ACCESS_TOKEN, FAST_NUMBER, WABA, template_message

TEMPLATES = f"/v25.0/{WABA}/message_templates"
SEND = f"/v25.0/{FAST_NUMBER}/messages"
LIST = {
    "type": "list",
    "header": {"type": "text", "text": "a"},
    "body": {"text": "b"},
    "footer": {"text": "c"},
    "action": {"button": "d", "sections": [{"title": "e", "rows": [{"id": "1", "title": "f", "description": "g"}]}]},
}
BUTTONS = {
    "type": "button",
    "header": {"type": "image", "image": {"id": "1"}},
    "body": {"text": "b"},
    "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "a"}}]},
}
COMPONENTS = [
    {"type": "HEADER", "format": "TEXT", "text": "For {{1}}"},
    {"type": "BODY", "text": "Hello {{1}}"},
    {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Shop", "url": "https://x.y/{{1}}"}]},
]


def _free(kind: str, content: object) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "to": "+15550100777", "type": kind, kind: content}


# method, path, a body that is right: one part of it is replaced by something random
DOORS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", SEND, template_message("+15550100777")),
    ("POST", SEND, {**template_message(""), "to": None, "recipient": "US.123456"}),
    ("POST", SEND, _free("text", {"body": "Hello", "preview_url": True})),
    ("POST", SEND, _free("image", {"link": "https://a.b/c.png", "caption": "d"})),
    ("POST", SEND, _free("location", {"latitude": 1.5, "longitude": 2.5})),
    ("POST", SEND, _free("contacts", [{"name": {"formatted_name": "Ann"}}])),
    ("POST", SEND, _free("reaction", {"message_id": "wamid.A", "emoji": "x"})),
    ("POST", SEND, _free("interactive", LIST)),
    ("POST", SEND, _free("interactive", BUTTONS)),
    ("POST", SEND, {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"}),
    (
        "POST",
        f"/v25.0/{FAST_NUMBER}/marketing_messages",
        {**template_message("+15550100777"), "product_policy": "STRICT"},
    ),
    ("POST", TEMPLATES, {"name": "new_one", "language": "en", "category": "UTILITY", "components": COMPONENTS}),
    ("POST", "/v25.0/500000000000002", {"category": "MARKETING", "components": COMPONENTS}),
    ("POST", f"/v25.0/{WABA}/subscribed_apps", {"override_callback_uri": "http://127.0.0.1:9/", "verify_token": "a"}),
    ("POST", "/_sim/reset", {"seed": 5}),
    ("PATCH", "/_sim/settings", {"timeline": {"sent_delay": [0, 1]}, "limits": {"reach": "sync"}, "seed": 4}),
    ("POST", "/_sim/clock", {"factor": 2.5, "advance": 10}),
    ("POST", "/_sim/rules", {"endpoint": "messages", "trigger": "every", "n": 2, "headers": {"a": "b"}, "http": 429}),
    ("POST", "/_sim/outcomes", {"recipients": ["+15550100777"], "outcome": {"fail": 131026, "statuses": ["sent"]}}),
    ("POST", "/_sim/inbound", {"from": "+15550100777", "type": "button", "button": {"text": "a"}, "context": "last"}),
    ("POST", "/_sim/user_preferences", {"wa_id": "15550100777", "value": "stop"}),
    ("POST", "/_sim/templates/welcome:en_US", {"status": "PAUSED", "quality": "RED", "pacing": "release"}),
    (
        "POST",
        f"/_sim/numbers/{FAST_NUMBER}",
        {"throughput": 80, "refuse_code": 0, "upgrade": False, "event": "FLAGGED"},
    ),
    ("POST", f"/_sim/accounts/{WABA}", {"tier": "TIER_250", "restrict_seconds": 5, "field": "security", "value": {}}),
    ("POST", "/_sim/webhooks", {"url": "http://127.0.0.1:9/", "verify": False}),
    ("POST", "/_sim/webhooks/bad", {"mode": "plain", "to": "+15550100777", "age_seconds": 5}),
    (
        "POST",
        "/_sim/scenario",
        {
            "seed": 1,
            "settings": {"suffixes": False},
            "rules": [{"code": 2, "endpoint": "media"}],
            "outcomes": [{"recipients": ["15550100777"], "outcome": {"fail": 131026}}],
            "events": [{"after": 5, "do": "POST inbound", "body": {"from": "15550100777"}}],
        },
    ),
]

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["US." + "9" * 300, "\r\nx: y", "0", "9" * 400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def _places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


@st.composite
def _spoilt(draw: st.DrawFn) -> tuple[str, str, object]:
    method, path, right = draw(st.sampled_from(DOORS))
    place = draw(st.sampled_from(list(_places(right))))
    strange = draw(ANY_JSON)
    if not place:
        return method, path, strange
    body = copy.deepcopy(right)
    target: Any = body
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = strange
    if isinstance(target, dict) and draw(st.booleans()):
        target[draw(st.text(max_size=5))] = strange
    return method, path, body


class _Door:
    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            given = {"Authorization": f"Bearer {ACCESS_TOKEN}", "Content-Type": "application/json", **headers}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Door]:
    """A running simulator; at the end nothing in its log may be a traceback."""
    folder = tmp_path_factory.mktemp("fuzz")
    secrets = {"SIMULATOR_PROFILE": "fast", "SIMULATOR_ACCESS_TOKEN": ACCESS_TOKEN}
    with Processes(directory=folder, settings={}) as processes:
        process, url = processes.start_simulator(settings=secrets)
        yield _Door(int(url.rpartition(":")[2]))
    assert "Traceback" not in process.command.log_file.read_text(encoding="utf-8")


def _restore(door: _Door, before: bytes) -> None:
    assert door.ask("POST", "/_sim/clock", b'{"factor": 1}')[0] == 200
    assert door.ask("PATCH", "/_sim/settings", before)[0] == 200
    assert door.ask("POST", "/_sim/webhooks", b'{"url": ""}')[0] == 200
    assert door.ask("POST", "/_sim/reset", b"")[0] == 200


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=_spoilt())
def test_a_body_that_is_wrong_somewhere_is_answered_and_never_breaks_anything(
    door: _Door, request: tuple[str, str, object]
) -> None:
    _, before = door.ask("GET", "/_sim/settings", b"")
    method, path, body = request
    status, answer = door.ask(method, path, json.dumps(body).encode())
    assert status in (200, 400, 401, 403, 404, 429) or json.loads(answer)["error"]["code"] in (134101, 134102)
    json.loads(answer)
    _restore(door, before)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT"]),
    path=st.sampled_from(
        ["/", "/v25.0/", "/_sim/", "/_sim/accepted?", TEMPLATES + "?", f"/v25.0/{FAST_NUMBER}?fields="]
    ),
    rest=st.text(st.characters(codec="latin-1", min_codepoint=33, exclude_characters="\x7f"), max_size=30),
    body=st.binary(max_size=50),
)
def test_any_path_and_any_bytes_are_answered(door: _Door, method: str, path: str, rest: str, body: bytes) -> None:
    try:
        status, _ = door.ask(method, path + rest, body)
    except (UnicodeEncodeError, http.client.InvalidURL):
        return
    assert status in (200, 400, 404)
