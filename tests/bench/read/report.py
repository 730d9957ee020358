"""Makes docs/benchmarks/reading.md from what was measured: the newest run."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.bench.read.rows import HEAD, ROUNDS, Row
from tests.bench.records import Record

FILE: Final = Path("docs/benchmarks/reading.jsonl")
PAGE: Final = FILE.with_suffix(".md")
_TEXT: Final = """# Reading, measured

Made by `make bench-read` from `reading.jsonl` beside it, which holds every run; here stands the newest: {time}, commit
{commit}, {machine}, {messages:,} messages, load by {load}.

What stands beside something is a ratio: the middle of {rounds} rounds in turns, with the middle of either side's rates.
A p99 is of {calls:,} calls, one after another.

"""


def record_of(rows: Sequence[Row], *, messages: int, calls: int, load: str) -> Record:
    """Returns a run as it is kept."""
    setup = {"messages": messages, "calls": calls, "load": load}
    return Record(kind="reading", setup=setup, figures={"rows": [asdict(row) for row in rows]})


def write(records: Sequence[Record], page: Path = PAGE) -> None:
    """Writes the page; does nothing when nothing was measured."""
    if records:
        page.write_text(page_of(records[-1]), encoding="utf-8")


def page_of(record: Record) -> str:
    """Returns the page about one run."""
    origin = {"time": record.time[:10], "commit": record.commit, "machine": record.machine, "rounds": ROUNDS}
    lines = [HEAD, *(Row(**row).line() for row in record.figures["rows"])]
    return _TEXT.format(**origin, **record.setup) + "\n".join(lines) + "\n"
