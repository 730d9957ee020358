"""Numbers that WhatsApp writes otherwise than telephones do: in Brazil without the ninth digit, in Mexico with a 1."""

import re
from typing import Final

# Country, area code, and eight digits of a mobile; every mobile has had a 9 before them since 2016.
_BRAZIL: Final = re.compile(r"(55[1-9][0-9])([6-9][0-9]{7})")
_BRAZIL_LENGTH: Final = 12
# Until 2019 mobiles were dialled with a 1 after the country.
_MEXICO: Final = re.compile(r"521([0-9]{10})")
_MEXICO_LENGTH: Final = 13


def settled(digits: str) -> str:
    """Returns the digits of a number as the telephone network writes them; what is no such number stays as it is."""
    if len(digits) == _BRAZIL_LENGTH and (match := _BRAZIL.fullmatch(digits)):
        return f"{match[1]}9{match[2]}"
    if len(digits) == _MEXICO_LENGTH and (match := _MEXICO.fullmatch(digits)):
        return f"52{match[1]}"
    return digits


def written(digits: str) -> tuple[str, ...]:
    """Returns every way in which WhatsApp may write a settled number."""
    if len(digits) == _BRAZIL_LENGTH + 1 and digits[4] == "9" and settled(short := digits[:4] + digits[5:]) == digits:
        return digits, short
    if len(digits) == _MEXICO_LENGTH - 1 and digits.startswith("52"):
        return digits, f"521{digits[2:]}"
    return (digits,)
