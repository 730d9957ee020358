"""People taken out of webhook bodies: what tells of them goes, what tells of others stays and can be applied again."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

import orjson

from core.whatsapp.bodies import UnreadableBody, changes, read_body
from core.whatsapp.payloads import parse_callback_data
from core.whatsapp.webhook_fields import REDACTED

_KEPT: Final = ("status", "type", "timestamp", "biz_opaque_callback_data")
# These hold digits too, but never a person's.
_NOBODYS: Final = frozenset(
    {
        "timestamp", "time", "expiration_timestamp", "phone_number_id", "display_phone_number", "message_template_id",
        "amount", "item_price", "quantity", "file_size", "sha256", "code",
    }
)  # fmt: skip
_LARGEST: Final = 10**18
_IDENTITY: Final = re.compile(r"\+?\d{7,15}|[A-Z]{2}\.[\w.]{4,128}|wamid\..+")


def identities(value: object) -> Iterator[str]:
    """Yields whatever in a value may name a person: numbers without +, WhatsApp's ids of people and of messages."""
    return (word for key, word in _words(value) if key not in _NOBODYS and _IDENTITY.fullmatch(word))


def redact(body: bytes, told: Set[str]) -> bytes | None:
    """Returns the body without the items that hold one of the words, or None when none does.

    `told` are identities as `identities` yields them, and ids of our messages. A body that cannot be read is emptied.
    """
    try:
        document = read_body(body)
    except UnreadableBody:
        return b"" if any(word.encode() in body.replace(b"\\/", b"/") for word in told) else None
    hits = [_redact_change(change, told) for _, change, _ in changes(document)]
    return orjson.dumps(document) if any(hits) else None


def _redact_change(change: Mapping[str, Any], told: Set[str]) -> bool:
    """Redacts one change where it stands; tells whether there was anything to redact."""
    value = change.get("value")
    if not isinstance(value, dict):
        return False
    if isinstance(deeper := value.get("standby"), dict):
        # Read alike at either level; only here do its items stand apart from each other.
        del value["standby"]
        value.update(deeper)
    cards = value.pop("contacts", None)
    gone = [item for found in value.values() for item in _parts(found) if _tells_of(item, told)]
    named = frozenset(told).union(*(identities(item) for item in gone))
    if gone:
        value.update({key: _without(found, told) for key, found in value.items()})
    if cards is None:
        return bool(gone)
    # Who wrote has a card beside the item; the item may have named them otherwise than we were told.
    left = [card for card in cards if not _tells_of(card, named)] if isinstance(cards, list) else cards
    value["contacts"] = left
    return bool(gone) or left != cards


def _parts(found: object) -> Iterable[object]:
    return found if isinstance(found, list) else [found]


def _without(found: object, told: Set[str]) -> object:
    parts = [_bare(item) if _tells_of(item, told) else item for item in _parts(found)]
    return parts if isinstance(found, list) else parts[0]


def _bare(item: object) -> dict[str, object]:
    kept = {key: item[key] for key in _KEPT if isinstance(item.get(key), str | int)} if isinstance(item, dict) else {}
    return {REDACTED: True, **kept}


def _tells_of(item: object, told: Set[str]) -> bool:
    """Tells whether an item holds one of the words, or callback data that names one of the messages."""
    for _, word in _words(item):
        reference = parse_callback_data(word)
        if word in told or (reference is not None and str(reference.message_id) in told):
            return True
    return False


def _words(value: object) -> Iterator[tuple[str, str]]:
    """Yields every text and whole number of a value with the key it stands under, whatever the depth."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.items()
        elif isinstance(item, list):
            waiting += [(key, inner) for inner in item]
        elif isinstance(item, str):
            yield key, item.removeprefix("+")
        elif isinstance(item, int) and abs(item) < _LARGEST:
            yield key, str(item)
