"""Measures sending as a whole and says what misses its target: `make bench-send`, `FULL=1 make bench-send`.

The standard set takes about seven minutes. The full one adds how it grows with messages, campaigns and workers, up to a
million; cut short, it goes on where it was when it is started again on the same commit. Each measurement is appended to
docs/benchmarks/sending.jsonl; `--report` makes the tables and the picture of docs/benchmarks from there.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench import expansion, report, send, webhook_load
from tests.bench.records import Record, append, latest, read, this_commit
from tests.bench.targets import missed

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement to make: its kind and setup name it, `measure` makes it."""

    kind: str
    setup: Mapping[str, Any]
    measure: Callable[[], Figures]


def main() -> None:
    """Measures, prints progress and a verdict per row; exits with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also how it grows, up to a million messages: half an hour")
    parser.add_argument("--report", action="store_true", help="measures nothing; writes the tables and the picture")
    chosen = parser.parse_args()
    if chosen.report:
        report.write(read())
        return
    rows = [*_standard(), *(_growth() if chosen.full else ())]
    measured = [_measured(row, again=not chosen.full) for row in rows]
    report.write(read())
    faults = missed(measured)
    print("\n".join(faults) or "every target is met")
    sys.exit(1 if faults else 0)


def _measured(row: Row, *, again: bool) -> Record:
    """Measures a row and keeps it, unless this very commit has it already."""
    record = Record(kind=row.kind, setup=row.setup, figures={})
    known = latest([old for old in read() if old.commit == this_commit()]).get(record.name)
    if known is not None and not again:
        print(f"{record.name}: measured before", flush=True)
        return known
    print(f"{record.name} …", flush=True)
    os.sync()  # or this one's commits would wait behind the gigabytes that the one before has left to be written
    record = Record(kind=row.kind, setup=row.setup, figures=row.measure())
    append(record)
    print(f"{record.name}: {_brief(record.figures)}", flush=True)
    return record


def _standard() -> Iterator[Row]:
    yield _sending(send.Setup(messages=100_000, campaigns=2, workers=2, numbers=2))
    yield _sending(send.Setup(messages=100_000, campaigns=1, workers=2, numbers=1), bare=10_000)
    # A tenth more than the target: a load ends with its last answer, after its last request.
    yield _door(statuses_per_second=3300, per_body=10)
    yield _door(statuses_per_second=3300, per_body=1)
    yield Row(
        kind="expansion",
        setup={"contacts": 100_000},
        measure=lambda: asdict(expansion.measure(contacts=100_000, rounds=5)),
    )


def _growth() -> Iterator[Row]:
    for messages in (10_000, 100_000, 1_000_000):
        yield _sending(send.Setup(messages=messages, campaigns=2, workers=2, numbers=2))
    for campaigns in (1, 10):
        for workers in (1, 4):
            yield _sending(send.Setup(messages=100_000, campaigns=campaigns, workers=workers, numbers=1))


def _sending(setup: send.Setup, *, bare: int = 0) -> Row:
    def measure() -> Figures:
        figures = send.measure(setup, bare=bare)
        return {**asdict(figures), "cpu_ms": figures.cpu_ms}

    return Row(kind="sending", setup=asdict(setup), measure=measure)


def _door(*, statuses_per_second: int, per_body: int) -> Row:
    setup = {"statuses_per_second": statuses_per_second, "per_body": per_body}

    def measure() -> Figures:
        return asdict(webhook_load.measure(statuses_per_second=statuses_per_second, per_body=per_body, seconds=10))

    return Row(kind="door", setup=setup, measure=measure)


def _brief(figures: Figures) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in figures.items() if isinstance(value, int | float))


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


if __name__ == "__main__":
    main()
