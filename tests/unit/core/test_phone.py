"""Phone numbers as people, spreadsheets and address books write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import InvalidArgument
from core.domain.phone import country_of, parse_phone

FRENCH = "+33612345678"


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+33612345678", None),
        ("+33 6 12 34 56 78", None),
        ("+33 (0)6 12 34 56 78", None),
        ("0033612345678", None),
        ("(00) 33 6 12 34 56 78", "US"),
        ("tel:+33-6-12-34-56-78", None),
        ("whatsapp:+33612345678", None),
        ("'+33612345678", None),
        ("\u202a+33\u00a06\u00a012 34 56 78\u202c", None),
        ("＋３３６１２３４５６７８", None),
        ("06.12.34.56.78", "FR"),
        ("(06) 12-34-56-78", "FR"),
        ("0612345678", "FR"),
        ("612345678", "FR"),
        ("33612345678", "FR"),
        ("33612345678.0", "FR"),
        ("٠٦١٢٣٤٥٦٧٨", "FR"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, region: str | None) -> None:
    assert parse_phone(text, region) == FRENCH


@pytest.mark.parametrize("text", ["491712345610", "491712345610.0", "49 171 2345610", "01712345610", "1712345610"])
def test_a_german_mobile_that_lacks_only_its_plus_is_no_landline_of_a_town(text: str) -> None:
    assert parse_phone(text, "DE") == "+491712345610"


@pytest.mark.parametrize("text", ["0491 2345610", "491 2345610", "+49 491 2345610", "494912345610"])
def test_a_landline_whose_area_code_begins_like_the_country_stays_one(text: str) -> None:
    assert parse_phone(text, "DE") == "+494912345610"


def test_zeros_inside_a_number_are_no_international_prefix() -> None:
    assert parse_phone("+33610007919") == "+33610007919"


def test_a_slash_is_german_punctuation() -> None:
    assert parse_phone("0171/1234567", "DE") == "+491711234567"


def test_an_italian_landline_keeps_its_zero() -> None:
    assert parse_phone("06 698 12345", "IT") == "+390669812345"


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", "FR", "PHONE_NUMBER_MISSING"),
        ("  '", "FR", "PHONE_NUMBER_MISSING"),
        ("0612345678", None, "REGION_MISSING"),
        ("33612345678", None, "REGION_MISSING"),
        ("+33 6 12", None, "PHONE_NUMBER_INVALID"),
        ("+33612345678901", None, "PHONE_NUMBER_INVALID"),
        ("+999123456789", None, "PHONE_NUMBER_INVALID"),
        ("3,36123E+10", "FR", "PHONE_NUMBER_INVALID"),
        ("+1 650 253 0000 ext. 3", None, "PHONE_NUMBER_INVALID"),
        ("+1 650 253 0000 #3", None, "PHONE_NUMBER_INVALID"),
        ("1-800-FLOWERS", "US", "PHONE_NUMBER_INVALID"),
        ("06 12 34 56 78 / 06 99 99 99 99", "FR", "PHONE_NUMBER_INVALID"),
        ("5551234", "US", "PHONE_NUMBER_INVALID"),
        ("n/a", "FR", "PHONE_NUMBER_INVALID"),
        ("+", None, "PHONE_NUMBER_INVALID"),
        ("9" * 10_000, "FR", "PHONE_NUMBER_INVALID"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason_and_without_its_digits(
    text: str, region: str | None, reason: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_phone(text, region)
    assert refused.value.reason == reason
    assert not any(letter.isdigit() for letter in refused.value.message)


@given(st.text(max_size=40), st.sampled_from([None, "FR", "US", "BR", "ZZ"]))
def test_any_text_is_a_number_in_e164_or_a_refusal(text: str, region: str | None) -> None:
    try:
        number = parse_phone(text, region)
    except InvalidArgument:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert 7 <= len(number[1:]) <= 15
    assert parse_phone(number) == number


@given(st.integers(0, 99_999_999), st.sampled_from(["{}", " {}", "+33 {}", "0{}", "00 33 {}", "+33 (0){}"]))
def test_every_french_mobile_survives_every_way_of_writing_it(tail: int, form: str) -> None:
    digits = f"6{tail:08d}"
    assert parse_phone(form.format(digits), "FR") == f"+33{digits}"


@pytest.mark.parametrize(
    ("phone_number", "whatsapp_user_id", "country"),
    [
        (FRENCH, None, "FR"),
        (FRENCH, "US.1234", "FR"),
        ("+12125550123", None, "US"),
        ("+14165550123", None, "CA"),
        (None, "US.1234", "US"),
        (None, "1234", ""),
        (None, None, ""),
        ("+99912345678", None, ""),
        ("+80012345678", None, ""),
    ],
)
def test_the_country_of_a_person_is_known_by_number_or_id(
    phone_number: str | None, whatsapp_user_id: str | None, country: str
) -> None:
    assert country_of(phone_number, whatsapp_user_id) == country
