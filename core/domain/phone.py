"""Phone numbers as people write them, into E.164; a refusal never repeats the number."""

import re
import unicodedata
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from core.domain.errors import InvalidArgument
from core.domain.numbering import settled

_LONGEST: Final = 60
# E.164 has 7 to 15 digits; the contacts table holds the same rule.
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_SCIENTIFIC: Final = re.compile(r"\+?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
_WHOLE_FLOAT: Final = re.compile(r"(\+?[0-9]{7,15})[.,]0+")
_LETTERS: Final = re.compile(r"[^\W\d_]")
_LEADING_ZEROS: Final = re.compile(r"^[\s(]*00[\s)]*(?=[1-9])")

_WRONG_LENGTH: Final = {
    ValidationResult.TOO_SHORT: "The phone number has too few digits for its country.",
    ValidationResult.TOO_LONG: "The phone number has too many digits for its country.",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "The phone number lacks its area code.",
    ValidationResult.INVALID_COUNTRY_CODE: "No country has this calling code.",
}


def parse_phone(text: str, default_region: str | None = None) -> str:
    """Returns a phone number in E.164; ``default_region`` (ISO 3166, such as FR) is for numbers written without +.

    Refuses with ``PHONE_NUMBER_MISSING``, ``PHONE_NUMBER_INVALID``, or ``REGION_MISSING`` if only a region could tell.
    """
    cleaned = _clean(text)
    if not cleaned:
        raise InvalidArgument("PHONE_NUMBER_MISSING", "The phone number is empty.")
    _check_characters(cleaned)
    if not default_region and not cleaned.startswith("+"):
        raise InvalidArgument(
            "REGION_MISSING", "The phone number has no + and country code, and no default region is set."
        )
    return _format(_parse(cleaned, default_region))


def country_of(phone_number: str | None, whatsapp_user_id: str | None) -> str:
    """Returns the country of a number in E.164, or of WhatsApp's id of a person (``US.1234``); empty if unknown."""
    if not phone_number:
        prefix = (whatsapp_user_id or "").partition(".")[0]
        return prefix if _COUNTRY.fullmatch(prefix) else ""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone_number))
    except NumberParseException:
        return ""
    return region if region and _COUNTRY.fullmatch(region) else ""


def _clean(text: str) -> str:
    """Takes off what spreadsheets and address books put around a number."""
    folded = unicodedata.normalize("NFKC", text[: _LONGEST * 4])
    visible = "".join(letter for letter in folded if unicodedata.category(letter) != "Cf").strip(" \t\r\n'\"`=")
    for prefix in ("tel:", "whatsapp:", "phone:"):
        if visible[: len(prefix)].lower() == prefix:
            visible = visible[len(prefix) :].strip()
    whole = _WHOLE_FLOAT.fullmatch(visible)
    return _LEADING_ZEROS.sub("+", whole.group(1) if whole else visible, count=1) if visible else ""


def _check_characters(cleaned: str) -> None:
    if _SCIENTIFIC.fullmatch(cleaned):
        text = "A spreadsheet shortened the phone number; format the column as text and export again."
        raise _invalid(text)
    if _LETTERS.search(cleaned) or len(cleaned) > _LONGEST:
        raise _invalid("This is not one phone number.")


def _parse(cleaned: str, default_region: str | None) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(cleaned, default_region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise _invalid(_WRONG_LENGTH[ValidationResult.INVALID_COUNTRY_CODE]) from None
        raise _invalid("This is not a phone number.") from None
    if number.extension:
        raise _invalid("A number with an extension cannot be reached on WhatsApp.")
    if cleaned.startswith(str(number.country_code)) and not _is_mobile(number):
        return _lacking_its_plus(cleaned) or number
    return number


def _lacking_its_plus(cleaned: str) -> phonenumbers.PhoneNumber | None:
    """The mobile that a number is when only its + is missing; German towns have area codes such as 491 of their own."""
    try:
        number = phonenumbers.parse(f"+{cleaned}")
    except NumberParseException:
        return None
    return number if _is_mobile(number) else None


def _is_mobile(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.number_type(number) in {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def _format(number: phonenumbers.PhoneNumber) -> str:
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict != ValidationResult.IS_POSSIBLE:
        raise _invalid(_WRONG_LENGTH.get(verdict, "The phone number has a wrong number of digits for its country."))
    written: str = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if _E164.fullmatch(written) is None:
        raise _invalid("The phone number has too few or too many digits.")
    return f"+{settled(written.removeprefix('+'))}"


def _invalid(text: str) -> InvalidArgument:
    return InvalidArgument("PHONE_NUMBER_INVALID", text)
