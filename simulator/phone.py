"""Simulator, people as WhatsApp knows them: a number however it is written, or a business-scoped user id."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"[0-9]{7,15}")
_USER_ID: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
_REWRITTEN: Final = {
    # Mexico loses the 1 that was once dialled.
    "52": ((re.compile(r"521([0-9]{10})"), r"52\1"),),
    # Argentina has a 9.
    "54": ((re.compile(r"54([1-8][0-9]{9})"), r"549\1"),),
    # Brazil has the ninth digit in the areas up to 28, and not in the others.
    "55": (
        (re.compile(r"(55(?:3[1-9]|[4-9][0-9]))9([0-9]{8})"), r"\1\2"),
        (re.compile(r"(55(?:1[1-9]|2[1-8]))([6-9][0-9]{7})"), r"\g<1>9\2"),
    ),
}
# A user id is a multiple of the number, so that the person behind it is found without a list of people.
_FACTOR, _SHIFT = 7919, 13
_LONGEST_ID: Final = 20
_PUNCTUATION: Final = str.maketrans("", "", "+ -().")


def digits_of(text: str) -> str:
    """Returns the digits of a number, empty when the text is no phone number."""
    digits = text.translate(_PUNCTUATION)
    return digits if _NUMBER.fullmatch(digits) else ""


def wa_id_of(digits: str) -> str:
    """Returns WhatsApp's id for a number, the same one for every way to write it."""
    if digits.startswith("5"):
        for pattern, form in _REWRITTEN.get(digits[:2], ()):
            if match := pattern.fullmatch(digits):
                return match.expand(form)
    return digits


def user_id_of(wa_id: str) -> str:
    """Returns a business-scoped user id for a person: a country code and digits that are not the phone number."""
    return f"US.{int(wa_id) * _FACTOR + _SHIFT:d}"


def person_of(text: str) -> str:
    """Returns what a person is counted by: the wa_id, also behind a user id, else the user id; empty for nobody."""
    if digits := digits_of(text):
        return wa_id_of(digits)
    if not is_user_id(text):
        return ""
    number = text.removeprefix("US.")
    if not number.isdigit() or len(number) > _LONGEST_ID:
        return text
    wa_id = str((int(number) - _SHIFT) // _FACTOR)
    return wa_id if digits_of(wa_id) and user_id_of(wa_id) == text else text


def is_user_id(text: str) -> bool:
    """Returns whether a text has the form of a business-scoped user id: a country code, a dot, letters and digits."""
    return bool(_USER_ID.fullmatch(text))


def profile_name_of(wa_id: str) -> str:
    """Returns the profile name webhooks carry."""
    return f"WhatsApp user {wa_id[-4:]}"
