"""Text into records, line by line, however quotes and pieces fall; the csv module reads, this feeds it."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.domain.imports import LONGEST_RECORD

_LONGEST_SHOWN: Final = 1024


@dataclass(frozen=True, slots=True)
class Record:
    """Is one record: the physical line it begins on, how many lines it takes, its cells, and what is wrong with it."""

    line: int
    span: int
    cells: list[str]
    fault: str = ""


class _MoreNeeded(Exception):
    """The record goes on in a line that has not come yet."""


class _Unclosed(Exception):
    """The record would go on beyond what a record may hold."""


class Lines:
    """Cuts text into lines; a line beyond the limit is cut off, never kept whole."""

    def __init__(self) -> None:
        self._rest: list[str] = []
        self._rest_size = 0

    def feed(self, text: str, *, final: bool = False) -> list[str]:
        """Returns the lines that are complete now, each with its line end."""
        lines = text.split("\n")
        last = lines.pop()
        if lines:
            lines[0] = self._joined(lines[0])
        self._keep(last)
        if final and self._rest_size:
            lines.append(self._joined(""))
        return [line + "\n" for line in lines]

    def _keep(self, text: str) -> None:
        room = LONGEST_RECORD + 1 - self._rest_size
        self._rest.append(text[:room])
        self._rest_size += len(text[:room])

    def _joined(self, end: str) -> str:
        self._keep(end)
        line = "".join(self._rest)
        self._rest, self._rest_size = [], 0
        return line


class Records:
    """Reads records from lines fed as they come; an unclosed quotation mark costs its own line, not the file."""

    def __init__(self, delimiter: str, *, first_line: int = 1) -> None:
        self._delimiter = delimiter
        self._lines: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self._line = first_line
        self._final = False
        self._reader = self._make_reader()

    def feed(self, lines: list[str], *, final: bool = False) -> Iterator[Record]:
        """Yields the records that are complete now; empty lines are none."""
        if not lines and not final:
            return
        self._lines.extend(lines)
        self._final = final
        while self._lines:
            record = self._next()
            if record is None:
                return
            if any(record.cells) or record.fault:
                yield record

    def split(self, record: Record) -> Record:
        """Takes the record just yielded apart: its first line is at fault, the others are read again on their own."""
        self._line = record.line
        return self._give_up()

    def _next(self) -> Record | None:
        self._taken, self._size = [], 0
        try:
            cells = next(self._reader)
        except _MoreNeeded:
            self._lines.extendleft(reversed(self._taken))
            self._reader = self._make_reader()
            return None
        except csv.Error:
            return self._read_loosely()
        except _Unclosed:
            return self._give_up()
        record = Record(self._line, len(self._taken), cells)
        self._line += len(self._taken)
        return record

    def _read_loosely(self) -> Record:
        """Text after a closing quotation mark is odd on one line, and over several lines a sign of swallowed ones."""
        if len(self._taken) > 1:
            return self._give_up()
        self._reader = self._make_reader()
        cells = next(csv.reader(self._taken, delimiter=self._delimiter, skipinitialspace=self._delimiter != "\t"))
        self._line += 1
        return Record(self._line - 1, 1, cells)

    def _give_up(self) -> Record:
        """The first line alone is at fault; those after it may well be good."""
        first, *others = self._taken
        self._lines.extendleft(reversed(others))
        self._reader = self._make_reader()
        fault = "ROW_TOO_LONG" if len(first) > LONGEST_RECORD else "QUOTE_UNCLOSED"
        self._line += 1
        return Record(self._line - 1, 1, rough_cells(first, self._delimiter), fault)

    def _make_reader(self) -> "Iterator[list[str]]":
        skips = self._delimiter != "\t"
        return csv.reader(self._pull(), delimiter=self._delimiter, skipinitialspace=skips, strict=True)

    def _pull(self) -> Iterator[str]:
        while True:
            if not self._lines and not self._final:
                raise _MoreNeeded
            if not self._lines or self._size > LONGEST_RECORD:
                raise _Unclosed
            line = self._lines.popleft()
            self._taken.append(line)
            self._size += len(line)
            if self._size > LONGEST_RECORD:
                raise _Unclosed
            yield line


def rough_cells(line: str, delimiter: str) -> list[str]:
    """Splits a line whose quotation marks cannot be trusted, shortened to what is worth showing."""
    return [cell.strip(' "\n') for cell in line[:_LONGEST_SHOWN].split(delimiter)]
