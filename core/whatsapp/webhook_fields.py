"""Tolerant readers for webhook bodies: a field of the wrong shape reads as empty, or makes one item unreadable."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from core.domain.interactions import Person

_MILLISECONDS: Final = 10**12  # seconds reach this in the year 33658
_LATEST: Final = 10**11


class Unreadable(Exception):
    """Says that one item lacks what it cannot do without; the rest of the body is read on."""


def mapping(value: object, key: str) -> Mapping[str, Any]:
    """Returns the object under the key, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def items(value: object, key: str) -> Iterator[Mapping[str, Any]]:
    """Yields the objects of the list under the key; anything else in it is passed over."""
    found = value.get(key) if isinstance(value, dict) else None
    yield from (item for item in found if isinstance(item, dict)) if isinstance(found, list) else ()


def text(value: object, key: str) -> str:
    """Returns the text (or number, written out) under the key, or an empty text; NUL is dropped, no row can hold it."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, str):
        return found.replace("\x00", "")
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def integer(value: object, key: str) -> int:
    """Returns the number under the key, also when written as text; 0 when there is none or it is out of range."""
    try:
        number = int(text(value, key))
    except ValueError:
        return 0
    return number if abs(number) < 2**31 else 0


def instant(value: object, key: str) -> datetime:
    """Returns the Unix time under the key, in seconds or milliseconds, as number or text; raises Unreadable."""
    try:
        number = float(text(value, key))
    except ValueError:
        raise Unreadable(key) from None
    seconds = number / 1000 if number >= _MILLISECONDS else number
    if not 0 < seconds < _LATEST:
        raise Unreadable(key)
    return datetime.fromtimestamp(seconds, UTC)


def required(value: object, key: str) -> str:
    """Returns the text under the key; raises Unreadable when it is missing or empty."""
    found = text(value, key)
    if not found:
        raise Unreadable(key)
    return found


def phone_number(digits: str) -> str:
    """Returns WhatsApp's digits as E.164, or an empty text when they cannot be a phone number."""
    bare = digits.removeprefix("+")
    fits = bare.isascii() and bare.isdigit() and 7 <= len(bare) <= 15 and bare[0] != "0"  # noqa: PLR2004  # E.164
    return f"+{bare}" if fits else ""


def person_of(value: Mapping[str, Any], *, phone: str, user_id: str) -> Person:
    """Returns who is meant, completed from the `contacts` that came in the same change."""
    for card in items(value, "contacts"):
        ids = (text(card, "wa_id"), text(card, "user_id"))
        if (phone and ids[0] == phone) or (user_id and ids[1] == user_id):
            name = text(mapping(card, "profile"), "name")
            return Person(
                phone_number=phone_number(phone or ids[0]), whatsapp_user_id=user_id or ids[1], display_name=name[:200]
            )
    return Person(phone_number=phone_number(phone), whatsapp_user_id=user_id)
