"""People taken out of webhook bodies: what tells of them goes, what tells of others stays and can be applied again."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

import orjson

from core.whatsapp.bodies import UnreadableBody, changes, loose_ends, read_body
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
_IDENTITY_IN_BYTES: Final = re.compile(rb"(?<!\d)\d{7,15}(?!\d)|\b[A-Z]{2}\.[\w.]{4,128}")


def identities(value: object) -> Iterator[str]:
    """Yields whatever in a value may name a person: numbers without +, WhatsApp's ids of people and of messages."""
    return (word for key, word in _words(value) if key not in _NOBODYS and _IDENTITY.fullmatch(word))


def identities_in(body: bytes) -> set[str]:
    """Returns whatever in a body that could not be applied may name a person: numbers, WhatsApp's ids of people."""
    return {word.decode("ascii", "ignore") for word in _IDENTITY_IN_BYTES.findall(body)}


def redact(body: bytes, told: Set[str]) -> bytes | None:
    """Returns the body without the items that hold one of the words, or None when none does.

    `told` are identities as `identities` yields them, and ids of our messages. A body that cannot be read is emptied.
    """
    try:
        document = read_body(body)
    except UnreadableBody:
        return b"" if any(word.encode() in body.replace(b"\\/", b"/") for word in told) else None
    hits = [_redact_change(change, told) for _, change, _ in changes(document)]
    hits += [_redact_part(holder, key, told) for holder, key in loose_ends(document)]
    return orjson.dumps(document) if any(hits) else None


def _redact_change(change: Mapping[str, Any], told: Set[str]) -> bool:
    """Redacts one change where it stands; tells whether there was anything to redact."""
    value = change.get("value")
    if not isinstance(value, dict):
        return isinstance(change, dict) and "value" in change and _redact_part(change, "value", told)
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
    left = [card for card in _parts(cards) if not _tells_of(card, named)]
    value["contacts"] = left if isinstance(cards, list) or not left else cards
    return bool(gone) or value["contacts"] != cards


def _redact_part(holder: dict[str, Any], key: str, told: Set[str]) -> bool:
    """Redacts what stands under a key whatever its shape; tells whether there was anything to redact."""
    is_told = _tells_of(holder[key], told)
    if is_told:
        holder[key] = _without(holder[key], told)
    return is_told


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
