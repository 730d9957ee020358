"""A file's bytes into rows and rejects, as they come; memory stays bounded whatever the file holds."""

from collections.abc import Iterable, Iterator
from typing import Final

from core.domain.errors import InvalidArgument
from core.domain.imports import LONGEST_RECORD, ImportedRow, ImportOptions, Reject, RowRefused
from core.domain.imports_columns import Columns, find_delimiter, read_columns, read_separator_line
from core.domain.imports_csv import Lines, Record, Records
from core.domain.imports_rows import Remote, Rows, read_remote
from core.domain.imports_seen import Seen
from core.domain.imports_text import TextReader

_FAULTS: Final = {
    "QUOTE_UNCLOSED": "A quotation mark is opened and never closed.",
    "ROW_TOO_LONG": f"The row is longer than {LONGEST_RECORD} characters.",
}
_LONGEST_SHOWN: Final = 1024


class ContactsReader:
    """Reads one CSV file, cut into pieces anywhere.

    Refuses a file that cannot be read at all with ``ENCODING_UNKNOWN``, ``HEADER_UNREADABLE`` or
    ``PHONE_COLUMN_MISSING``; a bad row becomes a Reject and never stops the rest.
    """

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._text = TextReader(options.encoding)
        self._lines = Lines()
        self._begin: list[str] = []
        self._begin_size = 0
        self._records: Records | None = None
        self._rows: Rows | None = None
        self._seen = Seen()
        self.columns: Columns | None = None
        self.delimiter = options.delimiter

    @property
    def encoding(self) -> str:
        """The encoding the file is read in, as far as it is known."""
        return self._text.encoding

    def feed(self, piece: bytes) -> list[ImportedRow | Reject]:
        """Returns the rows that are complete now, in the order of the file."""
        return self._take(piece, final=False)

    def finish(self) -> list[ImportedRow | Reject]:
        """Returns the last rows; refuses a file that never had a header with ``HEADER_UNREADABLE``."""
        return self._take(b"", final=True)

    def _take(self, piece: bytes, *, final: bool) -> list[ImportedRow | Reject]:
        lines = self._lines.feed(self._text.feed(piece, final=final), final=final)
        if self._records is None:
            lines = self._read_header(lines, final=final)
        return list(self._read_rows(lines, final=final))

    def _read_header(self, lines: list[str], *, final: bool) -> list[str]:
        """Waits until the header is complete; returns the lines after it."""
        self._begin.extend(lines)
        self._begin_size += sum(map(len, lines))
        skipped = self._skip_preamble()
        if not skipped and not final:
            return []
        delimiter = self.delimiter or find_delimiter(self._begin[skipped - 1 :] if skipped else [])
        header = next(Records(delimiter).feed(self._begin[max(skipped - 1, 0) :], final=final), None)
        if header is None or header.fault:
            self._check_header_may_come(header, final=final)
            return []
        self.delimiter = delimiter
        self.columns = read_columns(header.cells)
        self._rows = Rows(self.columns, self._options)
        used = skipped - 1 + header.span
        self._records = Records(delimiter, first_line=used + 1)
        rest, self._begin = self._begin[used:], []
        return rest

    def _skip_preamble(self) -> int:
        """Returns the line, from 1, on which the header begins, or 0; a ``sep=;`` line says what the delimiter is."""
        for number, line in enumerate(self._begin, start=1):
            separator = read_separator_line(line)
            if separator:
                self.delimiter = self.delimiter or separator
            elif line.strip(' \t\n,;|"'):
                return number
        return 0

    def _check_header_may_come(self, header: Record | None, *, final: bool) -> None:
        if not self._begin and final:
            raise InvalidArgument("HEADER_UNREADABLE", "The file is empty.")
        if final or header is not None or self._begin_size > LONGEST_RECORD:
            raise InvalidArgument("HEADER_UNREADABLE", "The first line cannot be read as the names of columns.")

    def _read_rows(self, lines: list[str], *, final: bool) -> Iterator[ImportedRow | Reject]:
        if self._records is None or self._rows is None:
            return
        for record in self._records.feed(lines, final=final):
            # More cells than columns over several lines: a quotation mark swallowed the lines after it.
            if record.span > 1 and not record.fault and self._rows.is_too_wide(record.cells):
                yield _reject_fault(self._records.split(record))
            else:
                yield self._read_row(record, self._rows)

    def _read_row(self, record: Record, rows: Rows) -> ImportedRow | Reject:
        if record.fault:
            return _reject_fault(record)
        try:
            row = rows.read(record.cells, line=record.line)
        except RowRefused as refused:
            return reject(refused, line=record.line, cells=record.cells)
        return self._seen.mark(row)


class RowsReader:
    """Reads rows that the caller has taken apart; lines are their positions from 1."""

    columns: Columns | None = None
    encoding = ""
    delimiter = ""

    def __init__(self, options: ImportOptions) -> None:
        self._options = options
        self._line = 0
        self._seen = Seen()

    def feed(self, rows: Iterable[Remote]) -> list[ImportedRow | Reject]:
        """Returns what the rows are."""
        return [self._read(row) for row in rows]

    def finish(self) -> list[ImportedRow | Reject]:
        """Returns nothing: no row waits for another."""
        return []

    def _read(self, row: Remote) -> ImportedRow | Reject:
        self._line += 1
        try:
            return self._seen.mark(read_remote(row, options=self._options, line=self._line))
        except RowRefused as refused:
            return reject(refused, line=self._line, cells=(row.phone_number, row.display_name))


def reject(refused: RowRefused, *, line: int, cells: list[str] | tuple[str, ...]) -> Reject:
    """Returns the reject of a refused row, its cells as read."""
    shown = tuple(cell.replace("\0", "\ufffd") for cell in cells)
    return Reject(line=line, column=refused.column, reason=refused.reason, description=refused.message, cells=shown)


def _reject_fault(record: Record) -> Reject:
    refused = RowRefused(record.fault, _FAULTS[record.fault])
    return reject(refused, line=record.line, cells=record.cells)
