"""The spreadsheet zoo: files as people really export them, each read in pieces cut in the worst places."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from core.domain.contacts import MarketingConsent
from core.domain.errors import InvalidArgument
from core.domain.imports import LONGEST_RECORD, ImportedRow, ImportOptions, Reject
from core.domain.imports_reader import ContactsReader

FRANCE = ImportOptions(default_region="FR")
HEAD = "phone_number,display_name\n"
ONE = HEAD + "+33612345678,Zoé\n"


def read(
    data: bytes, options: ImportOptions = FRANCE, *, piece: int = 3
) -> tuple[ContactsReader, list[ImportedRow], list[Reject]]:
    reader = ContactsReader(options)
    found = [item for at in range(0, len(data), piece) for item in reader.feed(data[at : at + piece])]
    found += reader.finish()
    rows = [item for item in found if isinstance(item, ImportedRow)]
    return reader, rows, [item for item in found if isinstance(item, Reject)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Animal:
    """One file of one person, and what is odd about it."""

    data: bytes
    encoding: str = "utf-8"
    delimiter: str = ","
    name: str = "Zoé"
    attributes: dict[str, str] = field(default_factory=dict)
    options: ImportOptions = FRANCE


ZOO = {
    "plain UTF-8": Animal(data=ONE.encode()),
    "UTF-8 with a byte order mark": Animal(data=ONE.encode("utf-8-sig")),
    "Latin-1": Animal(data=ONE.encode("latin-1"), encoding="windows-1252"),
    "Windows-1252 with a euro sign": Animal(
        data=(HEAD + "+33612345678,Zoé 5 €\n").encode("cp1252"), encoding="windows-1252", name="Zoé 5 €"
    ),
    "UTF-16 as Excel's Unicode text": Animal(
        data=ONE.replace(",", "\t").encode("utf-16"), encoding="utf-16-le", delimiter="\t"
    ),
    "UTF-16 without a mark": Animal(data=ONE.encode("utf-16-be"), encoding="utf-16-be"),
    "an encoding that was asked for": Animal(
        data=(HEAD + "+33612345678,Łukasz\n").encode("cp1250"),
        encoding="cp1250",
        name="Łukasz",
        options=ImportOptions(encoding="windows-1250"),
    ),
    "accents far behind a long plain beginning": Animal(
        data=(HEAD + "\n" * 200_000 + "+33612345678,Zoé\n").encode("cp1252"), encoding="windows-1252"
    ),
    "semicolons": Animal(data=ONE.replace(",", ";").encode(), delimiter=";"),
    "tabs": Animal(data=ONE.replace(",", "\t").encode(), delimiter="\t"),
    "bars": Animal(data=ONE.replace(",", "|").encode(), delimiter="|"),
    "semicolons under a header that quotes commas": Animal(
        data=b'"phone";"name, first, last";"city, country"\n+33612345678;x;"Lyon, France"\n',
        delimiter=";",
        name="",
        attributes={"name_first_last": "x", "city_country": "Lyon, France"},
    ),
    "a line that names the delimiter": Animal(data=("sep=;\n" + ONE.replace(",", ";")).encode(), delimiter=";"),
    "carriage returns with line feeds": Animal(data=ONE.replace("\n", "\r\n").encode()),
    "carriage returns alone": Animal(data=ONE.replace("\n", "\r").encode()),
    "no line end after the last row": Animal(data=ONE.rstrip().encode()),
    "empty lines everywhere": Animal(data=("\n\r\n" + ONE.replace("\n", "\n\n , \n")).encode()),
    "every cell quoted": Animal(data='"phone_number","display_name"\n"+33612345678","Zoé"\n'.encode()),
    "spaces before the quotes": Animal(data='phone, name\n"+33612345678", "Zoé"\n'.encode()),
    "doubled quotes": Animal(data=(HEAD + '+33612345678,"Zoé ""Zo"" Roy"\n').encode(), name='Zoé "Zo" Roy'),
    "a quotation mark inside a cell": Animal(data=(HEAD + '+33612345678,Zoé "Zo" Roy\n').encode(), name='Zoé "Zo" Roy'),
    "a quoted line break": Animal(
        data=b'phone,note\n+33612345678,"first\r\nsecond"\n', name="", attributes={"note": "first\nsecond"}
    ),
    "a quoted line break in the header": Animal(data='"phone\nnumber",name\n+33612345678,Zoé\n'.encode()),
    "a French header with accents and capitals": Animal(
        data="N° de téléphone;Nom complet;Ville d'origine\n06 12 34 56 78;Zoé;Évry\n".encode("cp1252"),
        encoding="windows-1252",
        delimiter=";",
        attributes={"ville_d_origine": "Évry"},
    ),
    "first and last name apart": Animal(
        data="Prénom;NOM;Mobile\nZoé;Roy;0612345678\n".encode(),
        delimiter=";",
        name="Zoé Roy",
        attributes={"prenom": "Zoé"},
    ),
    "a header in camel case": Animal(data="phoneNumber,displayName\n+33612345678,Zoé\n".encode()),
    "an apostrophe before the number": Animal(data=ONE.replace("+336", "'+336").encode()),
    "missing last cells": Animal(data="phone,name,city,street\n+33612345678,Zoé\n".encode()),
    "delimiters after the last cell": Animal(data="phone,name\n+33612345678,Zoé,,,\n".encode()),
    "columns of a mended file of rejects": Animal(
        data="phone,name,reject_line,reject_column,reject_reason\n+33612345678,Zoé,7,phone,bad\n".encode()
    ),
    "twice the same unknown column, and one without a name": Animal(
        data="phone,name,x,x,\n+33612345678,Zoé,1,2,3\n".encode(), attributes={"x": "1", "x_2": "2", "column_5": "3"}
    ),
}


@pytest.mark.parametrize("animal", ZOO.values(), ids=ZOO.keys())
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_every_animal_of_the_zoo_is_read(animal: Animal, piece: int) -> None:
    if piece < 7 and len(animal.data) > 10_000:
        piece = 4093
    reader, rows, rejects = read(animal.data, animal.options, piece=piece)
    assert rejects == []
    [row] = rows
    assert (row.phone_number, row.display_name, row.attributes) == ("+33612345678", animal.name, animal.attributes)
    assert (reader.encoding, reader.delimiter) == (animal.encoding, animal.delimiter)


def test_a_mostly_utf8_file_stays_utf8_and_rejects_only_the_damaged_row() -> None:
    lines = [f"+3361234{number},Zoé\n".encode() for number in range(5600, 5620)]
    lines[7] = b"+33612345607,Zo\xe9\n"
    reader, rows, [reject] = read(HEAD.encode() + b"".join(lines), piece=1 << 20)
    assert (reader.encoding, len(rows)) == ("utf-8", 19)
    assert (reject.line, reject.column, reject.reason) == (9, "display_name", "CHARACTER_INVALID")


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("+33 123,Zoé", "phone_number", "PHONE_NUMBER_INVALID"),
        (",Zoé", "phone_number", "PHONE_NUMBER_MISSING"),
        ("0612345678,Zoé", "phone_number", "REGION_MISSING"),
        ("+33612345678," + "x" * 257, "display_name", "VALUE_TOO_LONG"),
        ("+33612345678,Zoé,more", "", "ROW_TOO_LONG"),
        ("+33612345678," + "x" * LONGEST_RECORD, "", "ROW_TOO_LONG"),
        ("+33612345678,Zo\0", "display_name", "CHARACTER_INVALID"),
        ('+33612345678,"Zoé', "", "QUOTE_UNCLOSED"),
    ],
)
def test_a_bad_row_is_rejected_with_its_place_and_reason_and_never_stops_the_rest(
    row: str, column: str, reason: str
) -> None:
    data = f'{HEAD}\n"+33612345601","two\nlines"\n{row}\n+33612345602,After\n+33612345603,End\n'
    _, rows, [reject] = read(data.encode(), ImportOptions(), piece=1000)
    assert (reject.line, reject.column, reject.reason) == (5, column, reason)
    assert [each.phone_number for each in rows] == ["+33612345601", "+33612345602", "+33612345603"]
    assert reject.cells[0] == row.split(",", maxsplit=1)[0]


@pytest.mark.parametrize(
    ("header", "value", "column", "reason"),
    [
        ("phone,lang", "français", "lang", "LANGUAGE_CODE_INVALID"),
        ("phone,Note", "x" * 1025, "Note", "VALUE_TOO_LONG"),
        ("phone,Opt-in", "perhaps", "Opt-in", "CONSENT_INVALID"),
        ("phone,Tags", "x" * 129, "Tags", "VALUE_TOO_LONG"),
    ],
)
def test_a_reject_names_the_column_as_the_file_does(header: str, value: str, column: str, reason: str) -> None:
    _, rows, [reject] = read(f"{header}\n+33612345678,{value}\n".encode())
    assert (rows, reject.column, reject.reason) == ([], column, reason)


def test_a_quotation_mark_that_swallowed_lines_costs_only_its_own() -> None:
    data = HEAD + '+33612345601,"Ann\n+33612345602,Ben\n+33612345603,"Cid"\n+33612345604,Dan\n'
    _, rows, [reject] = read(data.encode())
    assert (reject.line, reject.reason) == (2, "QUOTE_UNCLOSED")
    assert [row.display_name for row in rows] == ["Ben", "Cid", "Dan"]


@pytest.mark.parametrize(
    ("data", "reason", "told"),
    [
        (b"", "HEADER_UNREADABLE", "empty"),
        (b"\n\r\n,,\n", "HEADER_UNREADABLE", "names of columns"),
        (b"name;city\nZo;Lyon\n", "PHONE_COLUMN_MISSING", "name, city"),
        (b"+33612345678,Zo\n+33612345679,Ed\n", "PHONE_COLUMN_MISSING", "looks like a contact"),
        (b"PK\x03\x04" + b"\0" * 50, "ENCODING_UNKNOWN", "workbook"),
        (b"\0" * 100, "ENCODING_UNKNOWN", "NUL"),
        (b"phone," + b",".join(b"c%d" % n for n in range(101)) + b"\n", "HEADER_UNREADABLE", "at most 100"),
        (b'"phone,name\n' + b"x\n" * 200_000, "HEADER_UNREADABLE", "names of columns"),
        (b"x" * 200_000, "HEADER_UNREADABLE", "names of columns"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_with_what_was_found(data: bytes, reason: str, told: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read(data, piece=10_000)
    assert (refused.value.reason, told in refused.value.message) == (reason, True)
    assert "6123" not in refused.value.message


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="not known"):
        ContactsReader(ImportOptions(encoding="rot13"))


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("VIP", ("VIP",)),
        ("VIP, Paris ,VIP", ("VIP", "Paris")),
        ("Paris, France; VIP", ("Paris, France", "VIP")),
        ("a|b", ("a", "b")),
        (" ", ()),
    ],
)
def test_a_category_cell_names_categories(cell: str, names: tuple[str, ...]) -> None:
    _, [row], _ = read(f'phone,Category\n+33612345678,"{cell}"\n'.encode())
    assert row.categories == names


@pytest.mark.parametrize(
    ("header", "cell", "default", "consent"),
    [
        ("opt_in", "Yes", "UNKNOWN", "OPTED_IN"),
        ("opt_in", "no", "OPTED_IN", "OPTED_OUT"),
        ("opt_in", "", "OPTED_IN", "OPTED_IN"),
        ("consentement", "oui", "UNKNOWN", "OPTED_IN"),
        ("unsubscribed", "1", "OPTED_IN", "OPTED_OUT"),
        ("unsubscribed", "false", "UNKNOWN", "UNKNOWN"),
    ],
)
def test_consent_columns_are_read_and_a_no_wins(header: str, cell: str, default: str, consent: str) -> None:
    options = ImportOptions(consent=MarketingConsent(default))
    _, [row], _ = read(f"phone,{header}\n+33612345678,{cell}\n".encode(), options)
    assert row.consent == consent


def test_of_two_phone_columns_the_surer_one_is_the_number() -> None:
    _, [row], _ = read(b"Phone,WhatsApp number\n0145678901,+33612345678\n")
    assert (row.phone_number, row.attributes) == ("+33612345678", {"phone": "0145678901"})


def test_a_person_who_came_before_is_marked_however_the_number_is_written() -> None:
    _, rows, _ = read(b"phone\n+33612345678\n06 12 34 56 78\n+33612345679\n")
    assert [row.is_repeat for row in rows] == [False, True, False]


def test_a_row_may_have_only_whatsapps_own_id() -> None:
    _, [row], _ = read(b"whatsapp_user_id,name\nFR.123,Zoe\n")
    assert (row.phone_number, row.whatsapp_user_id) == (None, "FR.123")


def test_no_name_or_number_shows_in_a_repr() -> None:
    _, [row], _ = read(ONE.encode())
    shown: Any = repr(row)
    assert "336" not in shown
    assert "Zo" not in shown
