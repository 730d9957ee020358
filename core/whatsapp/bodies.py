"""Webhook bodies as JSON: read with patience, and walked change by change."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from core.whatsapp.webhook_fields import items, text

_OF_DOCUMENT = frozenset({"object", "entry"})
_OF_ENTRY = frozenset({"id", "time", "changes"})
_OF_CHANGE = frozenset({"field", "value"})
_LOUD = (b'"messages":', b'"messages" :', b'"user_preferences":', b'"user_preferences" :', b"131050")


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


def changes(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yields each change as field, change and entry; what has none counts as one without a field."""
    entries = list(items(document, "entry"))
    if not entries:
        yield "", {"value": document}, document
    for entry in entries:
        told = list(items(entry, "changes"))
        if not told:
            yield "", {"value": entry}, entry
        for change in told:
            yield text(change, "field"), change, entry


def loose_ends(document: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yields, as holder and key, what stands around changes where nothing is known to stand."""
    entries = list(items(document, "entry"))
    for entry in entries:
        told = list(items(entry, "changes"))
        yield from (end for change in told for end in _strange(change, _OF_CHANGE))
        # What has no changes counts as one itself, see above.
        yield from _strange(entry, _OF_ENTRY) if told else ()
    yield from _strange(document, _OF_DOCUMENT) if entries else ()


def may_say_stop(body: bytes) -> bool:
    """Tells, without reading it, whether a body may hold words or choices of a person, which must not wait."""
    return any(key in body for key in _LOUD)


def _strange(holder: Mapping[str, Any], known: frozenset[str]) -> list[tuple[dict[str, Any], str]]:
    return [(holder, key) for key in sorted(holder.keys() - known)] if isinstance(holder, dict) else []


def _mended(body: bytes) -> object:
    """Reads a body whose texts hold halves of a character, as a name cut in the middle of an emoji does."""
    try:
        lenient = json.dumps(json.loads(body), ensure_ascii=False)
        return orjson.loads(lenient.encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableBody("the body is not JSON") from None
