"""What in a part of a webhook body may name a person: numbers, and WhatsApp's ids of people and of messages."""

import re
from collections.abc import Iterator
from typing import Final

from core.domain.numbering import settled

# These hold digits too, but never a person's.
_NOBODYS: Final = frozenset(
    {
        "timestamp", "time", "expiration_timestamp", "phone_number_id", "display_phone_number", "message_template_id",
        "amount", "item_price", "quantity", "file_size", "sha256", "code",
    }
)  # fmt: skip
_LARGEST: Final = 10**18
_NAME: Final = re.compile(r"\d{7,15}|[A-Z]{2}\.[\w.]{4,128}|wamid\..+")
_NAME_IN_BYTES: Final = re.compile(rb"(?<!\d)\d{7,15}(?!\d)|\b[A-Z]{2}\.[\w.]{4,128}|wamid\.[\w+/=-]+")
# On cards people write numbers as they like.
_WRITTEN_NUMBER: Final = "phone"
_BETWEEN_DIGITS: Final = re.compile(r"[\s()./-]+")


def named_in(value: object) -> Iterator[str]:
    """Yields whatever in a value may name a person: numbers without +, WhatsApp's ids of people and of messages."""
    return (word for key, word in words_in(value) if key not in _NOBODYS and _NAME.fullmatch(word))


def named_in_bytes(body: bytes) -> frozenset[str]:
    """Returns whatever may name a person in a body that could not be applied."""
    return frozenset(
        settled(word.decode("ascii", "ignore")) for word in _NAME_IN_BYTES.findall(body.replace(b"\\/", b"/"))
    )


def words_in(value: object) -> Iterator[tuple[str, str]]:
    """Yields every text and whole number of a value with the key it stands under, and keys; whatever the depth."""
    waiting: list[tuple[str, object]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.items()
            yield from (("", settled(name.removeprefix("+"))) for name in item)
        elif isinstance(item, list):
            waiting += [(key, inner) for inner in item]
        elif isinstance(item, str):
            yield key, settled((_BETWEEN_DIGITS.sub("", item) if key == _WRITTEN_NUMBER else item).removeprefix("+"))
        elif isinstance(item, int | float) and abs(item) < _LARGEST:
            yield key, settled(str(int(item)))
