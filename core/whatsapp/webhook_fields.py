"""Tolerant readers for webhook bodies: a field of the wrong shape reads as empty, or makes one item unreadable."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from core.domain.contacts import LONGEST_USER_ID
from core.domain.interactions import Person
from core.domain.numbering import settled

_LARGEST: Final = 10**20
_MILLISECONDS: Final = 10**12  # seconds reach this in the year 33658
_LATEST: Final = 10**11
LONGEST_ID: Final = 512  # twice what WhatsApp's ids may grow to; a row's index holds no more than five times that
# What an item is known by from which a person was taken out; see `redaction`.
REDACTED: Final = "redacted"


class Unreadable(Exception):
    """Says that one item lacks what it cannot do without; the rest of the body is read on."""


def mapping(value: object, key: str) -> Mapping[str, Any]:
    """Returns the object under the key, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def items(value: object, key: str) -> Iterator[dict[str, Any]]:
    """Yields the objects of the list under the key; anything else in it is passed over, and what was redacted too."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict) and item.get(REDACTED) is not True)


def text(value: object, key: str) -> str:
    """Returns the text (or number, written out) under the key, or an empty text; NUL is dropped, no row can hold it."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, str):
        return found.replace("\x00", "")
    return str(found) if isinstance(found, int) and not isinstance(found, bool) and abs(found) < _LARGEST else ""


def integer(value: object, key: str) -> int:
    """Returns the number under the key, also when written as text; 0 when there is none or it is out of range."""
    try:
        number = int(text(value, key))
    except ValueError:
        return 0
    return number if abs(number) < 2**31 else 0


def instant(value: object, key: str) -> datetime:
    """Returns the Unix time under the key, in seconds or milliseconds, as number or text; raises Unreadable."""
    found = value.get(key) if isinstance(value, dict) else None
    try:
        number = found if isinstance(found, float) else float(text(value, key))
    except ValueError:
        raise Unreadable(key) from None
    seconds = number / 1000 if number >= _MILLISECONDS else number
    if not 0 < seconds < _LATEST:
        raise Unreadable(key)
    return datetime.fromtimestamp(seconds, UTC)


def required(value: object, key: str) -> str:
    """Returns the id under the key; raises Unreadable when it is missing, empty or longer than any id."""
    found = text(value, key)
    if not found or len(found) > LONGEST_ID:
        raise Unreadable(key)
    return found


def phone_number(digits: str) -> str:
    """Returns WhatsApp's digits as E.164, or an empty text when they cannot be a phone number."""
    bare = digits.removeprefix("+")
    fits = bare.isascii() and bare.isdigit() and 7 <= len(bare) <= 15 and bare[0] != "0"  # noqa: PLR2004  # E.164
    return f"+{settled(bare)}" if fits else ""


def card_user_ids(value: Mapping[str, Any]) -> dict[str, str]:
    """Returns WhatsApp's ids by the digits of who has them, as the `contacts` of a change tell."""
    cards = [(text(card, "wa_id").removeprefix("+"), text(card, "user_id")) for card in items(value, "contacts")]
    return {settled(digits): user_id for digits, user_id in cards if digits and user_id}


def person_of(value: Mapping[str, Any], *, phone: str, user_id: str) -> Person:
    """Returns who is meant, completed from the `contacts` that came in the same change."""
    phone, user_id = phone.removeprefix("+"), user_id if len(user_id) <= LONGEST_USER_ID else ""
    cards = list(items(value, "contacts"))
    for card in cards:
        ids = (text(card, "wa_id").removeprefix("+"), text(card, "user_id")[:LONGEST_USER_ID])
        # Where neither is told, the only card there is must be theirs.
        alone = len(cards) == 1 and not phone and not user_id
        if (phone and ids[0] == phone) or (user_id and ids[1] == user_id) or alone:
            name = text(mapping(card, "profile"), "name")
            return Person(
                phone_number=phone_number(phone or ids[0]), whatsapp_user_id=user_id or ids[1], display_name=name[:200]
            )
    return Person(phone_number=phone_number(phone), whatsapp_user_id=user_id)
