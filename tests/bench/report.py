"""Makes docs/benchmarks/sending.md and its picture from what was measured: the newest of each."""

from collections.abc import Sequence
from pathlib import Path

from tests.bench.picture import Bar, draw
from tests.bench.records import Record, latest

FOLDER = Path("docs/benchmarks")
_HEAD = """# Sending, measured

Made by `make bench-send` from `sending.jsonl` beside it, which holds every measurement; here stands the newest of each.
Targets are in `tests/bench/targets.py`.

![Messages a second and CPU per message](sending.svg)
"""


def write(records: Sequence[Record]) -> None:
    """Writes both files; does nothing when nothing was measured."""
    newest = list(latest(list(records)).values())
    if not newest:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "sending.md").write_text("\n".join([_HEAD, *_tables(newest)]), encoding="utf-8")
    (FOLDER / "sending.svg").write_text(draw([_bar(record) for record in _sendings(newest)]), encoding="utf-8")


def _tables(records: Sequence[Record]) -> list[str]:
    return [
        _table(
            "messages | campaigns | workers | numbers | accepted | read | CPU a message | … PostgreSQL | … workers "
            "| memory of a worker | measured",
            [_sending_cells(record) for record in _sendings(records)],
        ),
        _table(
            "the bare client in a loop, accepted | measured",
            [
                [f"{record.figures['bare_per_second']:,.0f}/s", _origin(record)]
                for record in _sendings(records)
                if record.figures["bare_per_second"]
            ],
        ),
        _table(
            "statuses a POST | durable | p50 | p99 | commits | measured",
            [_door_cells(record) for record in records if record.kind == "door"],
        ),
        _table(
            "expansion | bare INSERT … SELECT | ratio, the median of rounds | measured",
            [_expansion_cells(record) for record in records if record.kind == "expansion"],
        ),
    ]


def _sendings(records: Sequence[Record]) -> list[Record]:
    found = [record for record in records if record.kind == "sending"]
    return sorted(
        found, key=lambda record: tuple(record.setup[key] for key in ("numbers", "messages", "campaigns", "workers"))
    )


def _sending_cells(record: Record) -> list[str]:
    setup, figures = record.setup, record.figures
    cpu = figures["cpu"]
    return [
        f"{setup['messages']:,}", str(setup["campaigns"]), str(setup["workers"]), str(setup["numbers"]),
        f"{figures['accepted_per_second']:,.0f}/s", f"{figures['read_per_second']:,.0f}/s",
        f"{figures['cpu_ms']:.2f} ms", f"{cpu['postgres']:.2f} ms", f"{cpu['worker']:.2f} ms",
        f"{figures['worker_bytes'] / 1e6:.0f} MB", _origin(record),
    ]  # fmt: skip


def _door_cells(record: Record) -> list[str]:
    figures = record.figures
    return [
        str(record.setup["per_body"]), f"{figures['statuses_per_second']:,.0f}/s", f"{figures['p50_ms']:.1f} ms",
        f"{figures['p99_ms']:.1f} ms", f"{figures['commits']:,}", _origin(record),
    ]  # fmt: skip


def _expansion_cells(record: Record) -> list[str]:
    figures = record.figures
    rates = [f"{figures['expansion']:,.0f}/s", f"{figures['bare']:,.0f}/s", f"{figures['ratio']:.2f}"]
    return [*rates, _origin(record)]


def _origin(record: Record) -> str:
    return f"{record.time[:10]}, {record.commit}, {record.machine}"


def _table(heads: str, rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    ruler = " | ".join("---" for _ in heads.split(" | "))
    lines = [f"| {heads} |", f"| {ruler} |", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _bar(record: Record) -> Bar:
    setup, figures = record.setup, record.figures
    label = (
        f"{setup['messages']:,} messages, {_count(setup['campaigns'], 'campaign')}, "
        f"{_count(setup['workers'], 'worker')}, {_count(setup['numbers'], 'number')}"
    )
    return Bar(label=label, left=figures["read_per_second"], right=figures["cpu_ms"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("s" if number != 1 else "")
