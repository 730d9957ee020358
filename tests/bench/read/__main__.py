"""Measures reading on a million contacts and ten million messages: `make bench-read`; `QUICK=1` on 100,000 messages.

Everything stands beside the least that could answer it, in turns, on this machine; the exit code says whether the goals
hold. A run on the full volume is kept in `docs/benchmarks/reading.jsonl`, with a page beside it.
"""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from tests.bench.read import report
from tests.bench.read.comparisons import (
    beside_old_stack,
    cached_beside_bare,
    large_beside_small,
    messages_beside_statements,
    processes_beside_one,
    uncached_beside_minimal,
)
from tests.bench.read.data import FULL, QUICK, databases
from tests.bench.read.hits import hit_rate
from tests.bench.read.outage import redis_killed
from tests.bench.read.reads import Read, reads_of
from tests.bench.read.rows import HEAD, Row
from tests.bench.read.servers import Served
from tests.bench.read.tails import tails
from tests.bench.read.writes import writes
from tests.bench.records import append, read
from tests.helpers.servers import temporary_directory
from tests.helpers.volume import Volume


def main() -> None:
    """Runs all measurements, prints a table and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, calls and seconds: to see that it runs")
    parser.add_argument("--fill", action="store_true", help="only make the rows")
    parser.add_argument("--report", action="store_true", help="measures nothing; writes the page")
    chosen = parser.parse_args()
    if chosen.report:
        report.write(read(report.FILE))
        return
    rows = _measured(QUICK if chosen.quick else FULL, quick=chosen.quick, fill_only=chosen.fill)
    sys.exit(not all(row.is_met for row in rows))


def _measured(volume: Volume, *, quick: bool, fill_only: bool) -> list[Row]:
    """Measures; what was measured quickly is not kept."""
    calls, seconds = (300, 5.0) if quick else (1000, 30.0)
    with ExitStack() as exits:
        urls = exits.enter_context(databases(volume))
        rows = [] if fill_only else list(_said(_measure(exits, urls, calls=calls, seconds=seconds)))
    if rows and not quick:
        load = "h2load" if shutil.which("h2load") else "own processes"
        append(report.record_of(rows, messages=volume.messages, calls=calls, load=load), report.FILE)
        report.write(read(report.FILE))
    return rows


def _said(rows: Iterator[Row]) -> Iterator[Row]:
    print(HEAD, flush=True)
    for row in rows:
        print(row.line(), flush=True)
        yield row


def _measure(exits: ExitStack, urls: tuple[str, str], *, calls: int, seconds: float) -> Iterator[Row]:
    folder = exits.enter_context(temporary_directory())
    served = Served.begin(exits, folder / "large", urls[0])
    reads = _reads(served)
    cached, uncached = served.ours("cached"), served.ours("uncached", cached=False)
    yield cached_beside_bare(served, cached, reads["contacts"], calls=10 * calls)
    yield uncached_beside_minimal(served, uncached, reads["contacts"], calls=3 * calls)
    yield messages_beside_statements(served, uncached, reads["messages of a campaign"], calls=calls // 10)
    yield from beside_old_stack(served, cached, uncached, reads, calls=3 * calls)
    small = Served.begin(exits, folder / "small", urls[1])
    yield from _many_beside_few(served, uncached, small, reads, calls=calls)
    yield from processes_beside_one(served, cached, uncached, reads["contacts"], calls=5 * calls)
    yield from tails(list(reads.values()), cached, served.key, calls=calls)
    yield from hit_rate(served, seconds=seconds)
    yield from writes(served, cached, calls=calls)
    yield from redis_killed(served, cached, uncached, reads["contacts"], seconds=seconds)


def _reads(served: Served) -> dict[str, Read]:
    return {read.name: read for read in asyncio.run(reads_of(served.database_url))}


def _many_beside_few(
    served: Served, port: int, small: Served, many: Mapping[str, Read], *, calls: int
) -> Iterator[Row]:
    few = _reads(small)
    pairs = [(many[name], few[name]) for name in ("campaign stats", "dashboard", "message stats")]
    yield from large_beside_small(served, port, (small, small.ours("small", cached=False)), pairs, calls=calls)


if __name__ == "__main__":
    main()
