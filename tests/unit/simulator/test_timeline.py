"""Plans of messages: reproducible, in the promised proportions, and as the fates say."""

from collections import Counter

import pytest

from simulator.draws import Draws
from simulator.outcomes import SUFFIXES, Outcome
from simulator.profiles import settings_for
from simulator.settings import Timeline
from simulator.timeline import Step, plan


def _plan(
    subject: str, *, seed: int = 1, outcome: Outcome | None = None, settings: Timeline | None = None
) -> list[Step]:
    return plan(outcome=outcome, draws=Draws(seed=seed, subject=subject), settings=settings or Timeline())


def _statuses(outcome: Outcome) -> list[tuple[str, int]]:
    return [(step.what, step.code) for step in _plan("a", outcome=outcome)]


def test_the_same_seed_gives_the_same_plans_whatever_the_order() -> None:
    subjects = [f"number:{person}:0" for person in range(500)]
    forward = {subject: _plan(subject) for subject in subjects}
    backward = {subject: _plan(subject) for subject in reversed(subjects)}
    assert forward == backward


def test_another_seed_gives_another_run() -> None:
    assert [_plan(str(n)) for n in range(50)] != [_plan(str(n), seed=2) for n in range(50)]


def test_steps_come_in_the_order_of_their_time() -> None:
    for number in range(2000):
        offsets = [step.offset for step in _plan(str(number))]
        assert offsets == sorted(offsets)


def test_the_reference_defaults_hold_over_many_messages() -> None:
    ends = Counter(tuple(step.what for step in _plan(str(number))) for number in range(20_000))
    total = sum(ends.values())
    failed = sum(count for path, count in ends.items() if path[-1] == "failed")
    assert failed / total == pytest.approx(0.02, abs=0.005)
    assert ends["sent",] / total == pytest.approx(0.03, abs=0.005)
    assert ends["sent", "read"] / total == pytest.approx(0.05, abs=0.007)
    read = ends["sent", "delivered", "read"]
    assert read / (read + ends["sent", "delivered"]) == pytest.approx(0.6, abs=0.015)


def test_delays_stay_within_their_spans() -> None:
    settings = settings_for("fast").timeline
    for number in range(1000):
        sent, delivered, read = _plan(str(number), settings=settings)
        assert 0.01 <= sent.offset <= 0.1
        assert 0.02 <= delivered.offset - sent.offset <= 0.2
        assert 0.0199 <= read.offset - delivered.offset <= 0.2001


def test_all_receipts_of_the_demo_come_within_a_minute() -> None:
    settings = settings_for("demo").timeline
    assert max(_plan(str(number), settings=settings)[-1].offset for number in range(20_000)) < 60


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        ("0042", [("sent", 0), ("delivered", 0), ("read", 0)]),
        ("9126", [("failed", 131026)]),
        ("9149", [("sent", 0), ("failed", 131049)]),
        ("9150", [("failed", 131050), ("effect.opted_out", 0)]),
        ("9148", [("failed", 131048), ("effect.number_flagged", 0)]),
        ("9135", [("failed", 132015), ("effect.template_paused", 0)]),
        ("9188", [("sent", 0), ("delivered", 0), ("failed", 131026)]),
        ("9187", [("read", 0), ("delivered", 0), ("sent", 0)]),
        ("9185", [("sent", 0)]),
    ],
)
def test_a_suffix_decides_what_becomes_of_a_message(suffix: str, expected: list[tuple[str, int]]) -> None:
    assert _statuses(SUFFIXES[suffix]) == expected


def test_a_repeated_message_announces_everything_twice_and_once_more_later() -> None:
    steps = _plan("a", outcome=SUFFIXES["9186"])
    assert Counter(step.what for step in steps) == {"sent": 3, "delivered": 3, "read": 3}
    assert steps[-1].offset >= 30


def test_a_silent_fate_announces_nothing() -> None:
    assert _plan("a", outcome=Outcome(silent=True)) == []
