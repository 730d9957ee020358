"""The benchmark of reading is a check that can fail, and its page says what was measured where."""

from pathlib import Path

import pytest

from tests.bench.read import report
from tests.bench.read.__main__ import main
from tests.bench.read.last_pages import beside_first
from tests.bench.read.parts import PARTS, chosen
from tests.bench.read.reads import Latency
from tests.bench.read.rows import ROUNDS, Row, ratio_of
from tests.bench.records import append, read

MET = Row(name="hit rate", figure=0.95, text="30,000 reads", least=0.9)
MISSED = Row(name="contacts, cached, p99 ms", figure=31.2, text="p50 2.0 ms", most=30.0)


@pytest.mark.parametrize(("figure", "is_met"), [(0.89, False), (0.9, True)])
def test_a_figure_below_its_goal_misses_it(figure: float, is_met: bool) -> None:
    assert Row(name="hit rate", figure=figure, text="", least=0.9).is_met is is_met


@pytest.mark.parametrize(
    ("figure", "shown"),
    [(0.8991, "0.899 | ≥ 0.9 | MISSED"), (0.8, "0.80 | ≥ 0.9 | MISSED"), (0.904, "0.90 | ≥ 0.9 | ")],
)
def test_what_misses_its_goal_by_a_hair_does_not_look_as_if_it_met_it(figure: float, shown: str) -> None:
    assert shown in Row(name="hit rate", figure=figure, text="", least=0.9).line()


def test_the_middle_of_the_rounds_decides_and_both_rates_stand_beside() -> None:
    ours, theirs = iter([100.0, 90.0, 80.0, 10.0, 95.0]), iter([100.0] * ROUNDS)
    row = ratio_of("ours beside theirs", lambda: next(ours), lambda: next(theirs), least=0.9)
    assert (row.figure, row.text, row.is_met) == (0.9, "90/s beside 100/s", True)


def test_a_ratio_without_a_goal_says_why_it_has_none() -> None:
    row = ratio_of("two beside one", lambda: 100.0, lambda: 90.0, least=None, note="the load shares the cores")
    assert (row.text, row.goal, row.is_met) == ("100/s beside 90/s; the load shares the cores", "", True)


def test_of_several_turns_in_a_round_all_calls_count() -> None:
    # As many calls at 50/s and at 150/s take as long as all of them at 75/s.
    ours, theirs = iter([50.0, 150.0] * ROUNDS), iter([100.0, 100.0] * ROUNDS)
    row = ratio_of("ours beside theirs", lambda: next(ours), lambda: next(theirs), least=0.9, turns=2)
    assert (round(row.figure, 9), row.text) == (0.75, "75/s beside 100/s")


@pytest.mark.parametrize(("last", "is_met"), [(2.4, True), (2.6, False)])
def test_a_last_page_that_takes_longer_than_the_first_misses_its_goal(last: float, is_met: bool) -> None:
    rounds = [(Latency(p50=last, p99=9.0), Latency(p50=2.0, p99=4.0))] * (ROUNDS - 1)
    row = beside_first("contacts, last page", [*rounds, (Latency(p50=90.0, p99=99.0), Latency(p50=2.0, p99=4.0))])
    assert (row.figure, row.is_met) == (last / 2, is_met)
    assert row.text == f"{last:.1f} ms, 2.0 ms (p99 9.0, 4.0)"


def test_the_page_tells_of_the_newest_run_where_it_was_made_and_what_missed(tmp_path: Path) -> None:
    kept, page = tmp_path / "reading.jsonl", tmp_path / "reading.md"
    for rows in ([MET], [MET, MISSED]):
        append(report.record_of(rows, messages=10_000_000, calls=1000, load="h2load"), kept)
    report.write(read(kept), page)
    (record,) = read(kept)[1:]
    text = page.read_text(encoding="utf-8")
    assert all(word in text for word in (record.commit, record.machine, "10,000,000 messages", "1,000 calls"))
    assert "| hit rate | 0.95 | ≥ 0.9 |  | 30,000 reads |" in text
    assert "| contacts, cached, p99 ms | 31.20 | ≤ 30 | MISSED | p50 2.0 ms |" in text


def test_a_part_is_found_by_any_text_of_its_name_and_no_text_means_all() -> None:
    name = "messages with contacts, page of 500, beside their two statements"
    assert chosen("Page of 500") == [PARTS[name]]
    assert chosen("") == list(PARTS.values())
    assert chosen("no such part") == []


def test_a_text_that_no_part_has_is_refused_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "no such part"])
    said = capsys.readouterr().err
    assert all(name in said for name in PARTS)
