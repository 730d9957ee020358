"""Measures reading on a million contacts and ten million messages: `make bench-read`; `QUICK=1` on 100,000 messages.

Everything stands beside the least that could answer it, in turns, on this machine; the exit code says whether the goals
hold. A whole run on the full volume is kept in `docs/benchmarks/reading.jsonl`, with a page beside it; `ONLY=text` does
the parts alone that have the text in their name.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from tests.bench.read import report
from tests.bench.read.data import FULL, QUICK, databases
from tests.bench.read.parts import PARTS, Ground, Part, chosen
from tests.bench.read.rows import HEAD, Row
from tests.bench.records import append, read
from tests.helpers.servers import temporary_directory
from tests.helpers.volume import Volume

_QUICK, _THOROUGH = (300, 5.0), (1000, 30.0)  # calls, seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the measurements, prints a table and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, calls and seconds: to see that it runs")
    parser.add_argument("--fill", action="store_true", help="only make the rows")
    parser.add_argument("--report", action="store_true", help="measures nothing; writes the page")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the parts with this in their name; not kept")
    asked = parser.parse_args(arguments)
    if asked.report:
        report.write(read(report.FILE))
        return
    parts = [] if asked.fill else chosen(asked.only)
    if not parts and not asked.fill:
        parser.error("--only: no part has this in its name; they are\n  " + "\n  ".join(PARTS))
    rows = _measured(parts, QUICK if asked.quick else FULL, quick=asked.quick)
    if parts and not (asked.only or asked.quick):
        _keep(rows, FULL)
    sys.exit(not all(row.is_met for row in rows))


def _measured(parts: Sequence[Part], volume: Volume, *, quick: bool) -> list[Row]:
    """Makes the rows of the databases where they are not there, and measures the parts on them."""
    calls, seconds = _QUICK if quick else _THOROUGH
    with ExitStack() as exits:
        urls = exits.enter_context(databases(volume))
        if not parts:
            return []
        folder = exits.enter_context(temporary_directory())
        ground = Ground.begin(exits, folder, urls, calls=calls, seconds=seconds)
        return list(_said(row for part in parts for row in part(ground)))


def _said(rows: Iterator[Row]) -> Iterator[Row]:
    print(HEAD, flush=True)
    for row in rows:
        print(row.line(), flush=True)
        yield row


def _keep(rows: Sequence[Row], volume: Volume) -> None:
    load = "h2load" if shutil.which("h2load") else "own processes"
    append(report.record_of(rows, messages=volume.messages, calls=_THOROUGH[0], load=load), report.FILE)
    report.write(read(report.FILE))


if __name__ == "__main__":
    main()
