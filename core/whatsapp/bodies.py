"""Webhook bodies as JSON: read with patience, and walked change by change."""

import json
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from core.whatsapp.webhook_fields import items, text

# What a change says of ourselves.
OURS: Final = frozenset({"messaging_product", "metadata"})
_OF_DOCUMENT: Final = frozenset({"object", "entry"})
_OF_ENTRY: Final = frozenset({"id", "time", "changes"})
_OF_CHANGE: Final = frozenset({"field", "value"})
_LOUD: Final = (
    b'"messages":', b'"messages" :', b'"user_preferences":', b'"user_preferences" :', b'"user_id_update"', b"131050",
)  # fmt: skip

Change: TypeAlias = tuple[str, dict[str, Any], dict[str, Any]]
End: TypeAlias = tuple[dict[str, Any], str]


class Walk(NamedTuple):
    """Holds a body's changes as field, change and entry, and as holder and key what is unknown around them."""

    changes: list[Change]
    loose_ends: list[End]


class UnreadableBody(Exception):
    """Says that a body is no JSON object at all, so that nothing in it can be applied."""


def read_body(body: bytes) -> dict[str, Any]:
    """Returns the body's object; raises UnreadableBody."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _mended(body)
    if not isinstance(document, dict):
        raise UnreadableBody("the body is not an object")
    return document


def walk(document: dict[str, Any]) -> Walk:
    """Walks through a body once; what has no changes counts as one without a field."""
    entries = list(items(document, "entry"))
    if not entries:
        return Walk([("", {"value": document}, document)], [])
    found = Walk([], _strange(document, _OF_DOCUMENT))
    for entry in entries:
        told = list(items(entry, "changes"))
        if not told:
            found.changes.append(("", {"value": entry}, entry))
            continue
        found.loose_ends.extend(_strange(entry, _OF_ENTRY))
        for change in told:
            found.changes.append((text(change, "field"), change, entry))
            found.loose_ends.extend(_strange(change, _OF_CHANGE))
    return found


def may_say_stop(body: bytes) -> bool:
    """Tells, without reading it, whether a body may hold words or choices of a person, which must not wait.

    So must not who they are now: a stop of before holds for them.
    """
    return any(key in body for key in _LOUD)


def _strange(holder: dict[str, Any], known: frozenset[str]) -> list[End]:
    return [] if holder.keys() <= known else [(holder, key) for key in sorted(holder.keys() - known)]


def _mended(body: bytes) -> object:
    """Reads a body whose texts hold halves of a character, as a name cut in the middle of an emoji does."""
    try:
        lenient = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableBody("the body is not JSON") from None
