"""Phone numbers as WhatsApp takes them."""

import pytest

from simulator import phone


@pytest.mark.parametrize("text", ["+1 (555) 010-0777", "15550100777", "+1.555.010.0777"])
def test_punctuation_is_tolerated(text: str) -> None:
    assert phone.digits_of(text) == "15550100777"


@pytest.mark.parametrize(
    "text",
    ["", "hello", "123", "+1555010077712345", "\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660\u0667\u0667\u0667"],
)
def test_what_is_no_number_has_no_digits(text: str) -> None:
    assert phone.digits_of(text) == ""


@pytest.mark.parametrize(
    ("digits", "wa_id"),
    [
        ("5215512345678", "525512345678"),
        ("5531987654321", "553187654321"),
        ("5511987654321", "5511987654321"),
        ("551187654321", "5511987654321"),
        ("551133334444", "551133334444"),
        ("541123456789", "5491123456789"),
        ("5491123456789", "5491123456789"),
        ("4915112345678", "4915112345678"),
    ],
)
def test_three_countries_get_another_wa_id(digits: str, wa_id: str) -> None:
    assert phone.wa_id_of(digits) == wa_id


@pytest.mark.parametrize("text", ["+52 1 55 1234 5678", "525512345678", phone.user_id_of("525512345678")])
def test_every_way_to_address_a_person_is_the_same_person(text: str) -> None:
    assert phone.person_of(text) == "525512345678"


@pytest.mark.parametrize("text", ["US.123456", "DE.123141248053076", "US.AB9150", "US.0123141248053076"])
def test_a_user_id_with_no_number_behind_it_is_a_person_of_its_own(text: str) -> None:
    assert phone.person_of(text) == text


@pytest.mark.parametrize("text", ["", "hello", "US.", "us.1", "1"])
def test_what_names_nobody_is_no_person(text: str) -> None:
    assert phone.person_of(text) == ""
