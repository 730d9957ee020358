"""Whatever a spreadsheet writes comes back the same, however it is cut, ended, delimited and encoded."""

import csv
import io
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.errors import InvalidArgument
from core.domain.imports import ImportedRow, ImportOptions, Reject
from core.domain.imports_reader import ContactsReader

# What cells may hold and a reader must keep; line ends inside a cell all come back as one newline.
LETTERS = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffd", whitelist_characters="\n\t")
NOTES = st.text(LETTERS, max_size=30)
PEOPLE = st.lists(st.tuples(st.integers(0, 99_999_999), NOTES, NOTES), max_size=12, unique_by=lambda person: person[0])


def read(data: bytes, *, piece: int, options: ImportOptions | None = None) -> list[ImportedRow | Reject]:
    reader = ContactsReader(options or ImportOptions())
    found = [item for at in range(0, len(data), piece) for item in reader.feed(data[at : at + piece])]
    return found + reader.finish()


@settings(max_examples=60)
@given(
    people=PEOPLE,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    piece=st.integers(1, 200),
)
def test_what_was_written_is_read(  # noqa: PLR0917  # hypothesis passes them by name
    people: list[tuple[int, str, str]], delimiter: str, line_end: str, encoding: str, quoting: int, piece: int
) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # Python's writer leaves other line ends than its own unquoted
        people = [(tail, first.replace("\n", " "), second.replace("\n", " ")) for tail, first, second in people]
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]  # one of four
    writer.writerow(["phone_number", "first note", "second note"])
    writer.writerows([f"+336{tail:08d}", first, second] for tail, first, second in people)
    rows = read(file.getvalue().encode(encoding), piece=piece)
    assert [each.phone_number for each in rows if isinstance(each, ImportedRow)] == [f"+336{p[0]:08d}" for p in people]
    for row, (_, first, second) in zip(rows, people, strict=True):
        wanted = {"first_note": first.strip(), "second_note": second.strip()}
        assert isinstance(row, ImportedRow)
        assert row.attributes == {key: value for key, value in wanted.items() if value}


@given(
    data=st.binary(max_size=400), piece=st.integers(1, 100), header=st.sampled_from([b"", b"phone,a\n", b'"phone";"'])
)
def test_any_bytes_are_rows_and_rejects_or_one_refusal(data: bytes, piece: int, header: bytes) -> None:
    try:
        found = read(header + data, piece=piece, options=ImportOptions(default_region="FR"))
    except InvalidArgument as refusal:
        reason, found = refusal.reason, []
    else:
        reason = ""
    assert reason in {"", "ENCODING_UNKNOWN", "HEADER_UNREADABLE", "PHONE_COLUMN_MISSING"}
    assert [item.line for item in found] == sorted({item.line for item in found})


@settings(max_examples=60)
@given(data=st.binary(max_size=300), piece=st.integers(1, 50))
def test_where_a_file_is_cut_changes_nothing(data: bytes, piece: int) -> None:
    body = b'phone,a\n+33612345678,"x\ny"\n' + data.replace(b"\0", b"")
    shown = [
        [(item.line, item.cells, getattr(item, "reason", "")) for item in read(body, piece=size)]
        for size in (piece, len(body))
    ]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("ill", ["", '"', "x" * 3_000_000])
def test_a_large_file_needs_no_more_memory_than_a_small_one(ill: str) -> None:
    def peak(count: int) -> int:
        reader = ContactsReader(ImportOptions())
        tracemalloc.start()
        try:
            reader.feed(f"phone,name\n+33612345678,{ill}".encode())
            for start in range(0, count, 500):
                lines = (f"+336{number:08d},Somebody {number}\n" for number in range(start, start + 500))
                reader.feed("".join(lines).encode())
            reader.finish()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(15_000) < peak(2_000) + 15_000 * 40
