"""Simulator, phone numbers as WhatsApp takes them: tolerant of punctuation, and rewritten in two countries."""

from __future__ import annotations

from typing import Final

_PUNCTUATION: Final = str.maketrans("", "", "+ -().")


def digits_of(text: str) -> str:
    """Returns the digits of a number, empty when the text is no phone number."""
    digits = text.translate(_PUNCTUATION)
    return digits if digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15 else ""


def wa_id_of(digits: str) -> str:
    """Returns WhatsApp's id for a number: Mexico loses its 1, most of Brazil its ninth digit."""
    if digits.startswith("521") and len(digits) == 13:
        return "52" + digits[3:]
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9" and int(digits[2:4]) >= 31:
        return digits[:4] + digits[5:]
    return digits


def user_id_of(wa_id: str) -> str:
    """Returns a business-scoped user id for a person: a country code and digits that are not the phone number."""
    return f"US.{int(wa_id) * 7919 + 13:d}"


def profile_name_of(wa_id: str) -> str:
    """Returns the profile name webhooks carry."""
    return f"WhatsApp user {wa_id[-4:]}"
