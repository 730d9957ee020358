"""The benchmark of sending is a check that can fail: each target, missed, has a line of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bench import records, report
from tests.bench.picture import Bar, draw
from tests.bench.records import Record
from tests.bench.targets import missed

SETUP = {"messages": 100_000, "campaigns": 2, "workers": 2, "numbers": 2}
GOOD = {
    "accepted_per_second": 1400.0, "read_per_second": 1300.0, "cpu_ms": 0.9, "worker_bytes": 110_000_000,
    "bare_per_second": 2000.0, "cpu": {"postgres": 0.4, "worker": 0.4},
}  # fmt: skip
DOOR = {"statuses_per_second": 3290.0, "sent": 10, "stored": 10, "commits": 5, "p50_ms": 5.0, "p99_ms": 20.0}


def record(kind: str, figures: Mapping[str, Any], **setup: object) -> Record:
    return Record(kind=kind, setup=setup, figures=figures, commit="abc", machine="2 cores", time="2026-01-01T00:00:00")


def sending(**changes: object) -> Record:
    return record("sending", GOOD | changes, **SETUP)


def test_what_meets_every_target_misses_none() -> None:
    found = [sending(), record("door", DOOR, per_body=10), record("expansion", {"ratio": 0.81}, contacts=100_000)]
    assert missed(found) == []


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (sending(accepted_per_second=990.0), "accepted_per_second 990.00 is below 1000"),
        (sending(read_per_second=990.0), "read_per_second 990.00 is below 1000"),
        (sending(cpu_ms=1.25), "cpu_ms 1.25 is above 1.2"),
        (record("door", DOOR | {"statuses_per_second": 2990.0}), "statuses_per_second 2990.00 is below 3000"),
        (record("door", DOOR | {"p99_ms": 260.0}), "p99_ms 260.00 is above 250"),
        (record("door", DOOR | {"stored": 9}), "9 bodies stored of 10"),
        (record("expansion", {"ratio": 0.79}), "ratio 0.79 is below 0.8"),
    ],
)
def test_a_missed_target_is_told_with_its_figure(measured: Record, words: str) -> None:
    (line,) = missed([measured])
    assert words in line


def test_one_number_is_judged_by_its_own_pace() -> None:
    assert missed([record("sending", GOOD | {"accepted_per_second": 970.0}, **SETUP | {"numbers": 1})]) == []
    assert missed([record("sending", GOOD | {"accepted_per_second": 940.0}, **SETUP | {"numbers": 1})])


def test_a_worker_that_grows_with_its_messages_is_told() -> None:
    large = record("sending", GOOD | {"worker_bytes": 131_000_000}, **SETUP | {"messages": 1_000_000})
    (line,) = missed([sending(), large])
    assert "grew by 21 MB" in line


def test_measurements_are_kept_and_the_newest_of_each_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for found in (sending(cpu_ms=1.9), sending(), record("door", DOOR, per_body=10)):
        records.append(found)
    report.write(records.read())
    text = (tmp_path / "docs/benchmarks/sending.md").read_text()
    assert "0.90 ms" in text
    assert "1.90 ms" not in text


def test_the_longest_bar_of_the_picture_is_the_largest_figure() -> None:
    picture = draw([Bar(label="a < b", left=500, right=1.0), Bar(label="c", left=1000, right=0.5)])
    assert picture.count('width="210.0"') == 2
    assert "a &lt; b" in picture
