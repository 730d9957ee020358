"""The shapes of message types that are not templates."""

from typing import Any

import pytest

from simulator.content_checks import check_content
from simulator.errors import Refusal


def _buttons(*titles: str) -> dict[str, Any]:
    buttons = [{"type": "reply", "reply": {"id": str(n), "title": title}} for n, title in enumerate(titles)]
    return {"type": "button", "body": {"text": "Choose"}, "action": {"buttons": buttons}}


def _list(rows: int) -> dict[str, Any]:
    listed = [{"id": str(n), "title": f"Row {n}"} for n in range(rows)]
    return {"type": "list", "body": {"text": "Choose"}, "action": {"button": "Open", "sections": [{"rows": listed}]}}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text", {"body": "Hello", "preview_url": True}),
        ("image", {"id": "1", "caption": "A picture"}),
        ("audio", {"link": "https://example.com/a.ogg"}),
        ("location", {"latitude": 48.86, "longitude": "2.33"}),
        ("reaction", {"message_id": "wamid.A", "emoji": ""}),
        ("contacts", [{"name": {"formatted_name": "A B"}}]),
        ("interactive", _buttons("Yes", "No")),
        ("interactive", _list(10)),
    ],
)
def test_a_well_formed_message_is_taken(kind: str, content: object) -> None:
    check_content(kind, content)


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("text", None, 131008),
        ("text", "Hello", 100),
        ("text", {}, 131008),
        ("text", {"body": "x" * 4097}, 100),
        ("image", {}, 100),
        ("image", {"id": "1", "link": "https://a.b"}, 100),
        ("image", {"link": "file:///a.jpg"}, 131009),
        ("audio", {"id": "1", "caption": "no"}, 100),
        ("location", {"latitude": 48.0}, 131008),
        ("location", {"latitude": 91, "longitude": 0}, 131009),
        ("reaction", {"emoji": "x"}, 131008),
        ("contacts", [], 131008),
        ("contacts", [{}], 131008),
        ("interactive", _buttons(), 131009),
        ("interactive", _buttons("a", "b", "c", "d"), 131009),
        ("interactive", _buttons("same", "same"), 131009),
        ("interactive", _list(11), 131009),
        ("interactive", {"type": "poll"}, 131009),
        ("hologram", {}, 131051),
    ],
)
def test_a_malformed_message_is_refused_with_its_code(kind: str, content: object, code: int) -> None:
    with pytest.raises(Refusal) as refused:
        check_content(kind, content)
    assert refused.value.code == code
