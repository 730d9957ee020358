"""People taken out of webhook bodies: what tells of them goes, what tells of others stays and can be applied again."""

from collections.abc import Iterable, Mapping, Set
from typing import Any, Final

import orjson

from core.domain.numbering import settled, written
from core.whatsapp.bodies import OURS, UnreadableBody, read_body, walk
from core.whatsapp.named import named_in, words_in
from core.whatsapp.payloads import parse_callback_data
from core.whatsapp.webhook_fields import REDACTED

_CALLBACK: Final = "biz_opaque_callback_data"
_KEPT: Final = ("status", "type", "timestamp", _CALLBACK)
# Under these an item says whom it is from or to.
_PARTIES: Final = (
    "from", "from_user_id", "to", "to_user_id", "recipient_id", "recipient_user_id", "recipient_participant_id",
    "recipient_participant_user_id", "wa_id", "user_id",
)  # fmt: skip


def redact(body: bytes, told: Set[str]) -> bytes | None:
    """Returns the body without the items that hold one of the words, or None when none does.

    `told` are words as `named_in` yields them, and ids of our messages. A body that cannot be read, or not be written
    again, is emptied.
    """
    try:
        document = read_body(body)
    except UnreadableBody:
        plain = body.replace(b"\\/", b"/")
        return b"" if any(form.encode() in plain for word in told for form in written(word)) else None
    walked = walk(document)
    hits = [_redact_change(change, told) for _, change, _ in walked.changes]
    hits += [_redact_part(holder, key, told) for holder, key in walked.loose_ends]
    try:
        return orjson.dumps(document) if any(hits) else None
    except orjson.JSONEncodeError:  # a thousand levels can be read, and a few hundred be written
        return b""


def _redact_change(change: dict[str, Any], told: Set[str]) -> bool:
    """Redacts one change where it stands; tells whether there was anything to redact."""
    value = change.get("value")
    if not isinstance(value, dict):
        return "value" in change and _redact_part(change, "value", told)
    # Read alike at either level; only here do items stand apart from each other.
    levels = [value, value["standby"]] if isinstance(value.get("standby"), dict) else [value]
    parts = [item for level in levels for found in _items(level).values() for item in _parts(found)]
    gone = [_tells_of(item, told) for item in parts]
    # Who wrote has a card beside the item; the item may have named them otherwise than we were told.
    named = _parties(item for item, is_gone in zip(parts, gone, strict=True) if is_gone)
    named -= _parties(item for item, is_gone in zip(parts, gone, strict=True) if not is_gone)
    hits = [_redact_level(level, told) for level in levels]
    left = [item for level in levels for found in _items(level).values() for item in _parts(found)]
    is_empty = bool(left) and all(_is_bare(item) for item in left)
    hits += [_redact_cards(level, named | told, is_empty=is_empty) for level in levels if "contacts" in level]
    return any(hits)


def _redact_level(level: dict[str, Any], told: Set[str]) -> bool:
    found = _items(level)
    lists = [key for key, item in found.items() if isinstance(item, list)]
    if not any(_tells_of(item, told) for item in found.values() if not isinstance(item, list | dict)):
        hits = [_redact_part(level, key, told) for key in found]
        return any(hits)
    # It names the person itself, so all that stands beside the name is theirs; only lists are of several people.
    level.update({key: _bare(item, told) for key, item in found.items() if key not in lists})
    for key in lists:
        _redact_part(level, key, told)
    return True


def _items(level: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: found
        for key, found in level.items()
        if key not in OURS and key != "contacts" and not (key == "standby" and isinstance(found, dict))
    }


def _redact_cards(level: dict[str, Any], named: Set[str], *, is_empty: bool) -> bool:
    """Redacts the cards of those people; a card that names nobody goes with the last item of its change."""
    cards = level["contacts"]
    receipts = level.get("statuses")
    if receipts and not level.get("messages") and all(_is_bare(item) for item in _parts(receipts)):
        left = []  # whose receipts these were is told by nothing else
    else:
        left = [card for card in _parts(cards) if not _tells_of(card, named)]
        left = [card for card in left if any(named_in(card))] if is_empty else left
    if len(left) == len(_parts(cards)):
        return False
    level["contacts"] = left
    return True


def _redact_part(holder: dict[str, Any], key: str, told: Set[str]) -> bool:
    """Redacts what stands under a key whatever its shape; tells whether there was anything to redact."""
    if settled(key.removeprefix("+")) in told:
        del holder[key]
        return True
    if not _tells_of(holder[key], told):
        return False
    holder[key] = _without(holder[key], told)
    return True


def _parts(found: object) -> list[object]:
    return found if isinstance(found, list) else [found]


def _without(found: object, told: Set[str]) -> object:
    parts = [_bare(item, told) if _tells_of(item, told) else item for item in _parts(found)]
    return parts if isinstance(found, list) else parts[0]


def _bare(item: object, told: Set[str]) -> dict[str, object]:
    kept = {key: item[key] for key in _KEPT if isinstance(item.get(key), str | int)} if isinstance(item, dict) else {}
    if parse_callback_data(str(kept.get(_CALLBACK))) is None:
        kept.pop(_CALLBACK, None)  # another app's own words, which may be anything
    return {
        REDACTED: True,
        **{key: word for key, word in kept.items() if settled(str(word).removeprefix("+")) not in told},
    }


def _is_bare(item: object) -> bool:
    return isinstance(item, dict) and item.get(REDACTED) is True


def _parties(items: Iterable[object]) -> set[str]:
    dicts = (item for item in items if isinstance(item, dict))
    return {name for item in dicts for name in named_in([item[key] for key in _PARTIES if key in item])}


def _tells_of(item: object, told: Set[str]) -> bool:
    """Tells whether an item holds one of the words, or callback data that names one of the messages."""
    for _, word in words_in(item):
        reference = parse_callback_data(word)
        if word in told or (reference is not None and str(reference.message_id) in told):
            return True
    return False
