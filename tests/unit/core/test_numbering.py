"""Numbers as WhatsApp writes them and as telephones do: the same person either way."""

import pytest

from core.domain.numbering import settled, written
from core.domain.phone import parse_phone


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ("551187650021", "5511987650021"),
        ("5511987650021", "5511987650021"),
        ("553188776655", "5531988776655"),
        ("551137650021", "551137650021"),  # a landline
        ("5215512345678", "525512345678"),
        ("525512345678", "525512345678"),
        ("49521123456789", "49521123456789"),
        ("DE.Ann1", "DE.Ann1"),
        ("", ""),
    ],
)
def test_a_number_is_settled_however_whatsapp_writes_it(told: str, number: str) -> None:
    assert settled(told) == number
    assert told in written(number)
    assert {settled(form) for form in written(number)} == {number}


def test_a_number_that_lacks_its_ninth_digit_is_read_with_it() -> None:
    assert parse_phone("+55 11 8765-0021") == parse_phone("(11) 98765-0021", "BR") == "+5511987650021"
    assert parse_phone("+55 11 3765-0021") == "+551137650021"
