"""Simulator, phone numbers as WhatsApp takes them: tolerant of punctuation, and rewritten in two countries."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{7,15}")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
# 52 1 + ten digits; 55 + area code from 31 on + 9 + eight digits.
_REWRITTEN: Final = re.compile(r"(52)1([0-9]{10})|(55(?:3[1-9]|[4-9][0-9]))9([0-9]{8})")
_PUNCTUATION: Final = str.maketrans("", "", "+ -().")


def digits_of(text: str) -> str:
    """Returns the digits of a number, empty when the text is no phone number."""
    digits = text.translate(_PUNCTUATION)
    return digits if _NUMBER.fullmatch(digits) else ""


def wa_id_of(digits: str) -> str:
    """Returns WhatsApp's id for a number: Mexico loses its 1, most of Brazil its ninth digit."""
    if digits.startswith("5") and (match := _REWRITTEN.fullmatch(digits)):
        return "".join(filter(None, match.groups()))
    return digits


def user_id_of(wa_id: str) -> str:
    """Returns a business-scoped user id for a person: a country code and digits that are not the phone number."""
    return f"US.{int(wa_id) * 7919 + 13:d}"


def is_user_id(text: str) -> bool:
    """Returns whether a text has the form of a business-scoped user id: a country code, a dot, letters and digits."""
    return bool(_USER_ID.fullmatch(text))


def profile_name_of(wa_id: str) -> str:
    """Returns the profile name webhooks carry."""
    return f"WhatsApp user {wa_id[-4:]}"
