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
        ("4915112345678", "4915112345678"),
    ],
)
def test_two_countries_get_another_wa_id(digits: str, wa_id: str) -> None:
    assert phone.wa_id_of(digits) == wa_id
