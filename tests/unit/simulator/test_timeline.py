"""Plans of messages: reproducible, in the promised proportions, and as the fates say."""

from collections import Counter
from itertools import permutations

import pytest

from simulator.draws import Draws
from simulator.outcomes import SUFFIXES, Outcome, Status
from simulator.profiles import settings_for
from simulator.settings import Timeline, Webhooks
from simulator.timeline import Step, latency, plan


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


def test_the_defaults_are_those_of_the_reference() -> None:
    timeline, webhooks = Timeline(), Webhooks()
    assert (timeline.latency_median, timeline.latency_p99) == (0.12, 0.9)
    assert (timeline.slow_rate, timeline.slow_seconds, timeline.drop_rate) == (0.01, 10.0, 0.001)
    assert (timeline.sent_before_answer_rate, timeline.late_rate) == (0.02, 0.1)
    assert (timeline.sent_delay, timeline.delivered_delay) == ((0.2, 2.0), (1.0, 5.0))
    assert (timeline.failure_delay, timeline.failure_after_sent_rate) == ((1.0, 4.0), 0.5)
    assert (webhooks.reorder_rate, webhooks.duplicate_rate, webhooks.timeout) == (0.03, 0.02, 10.0)
    assert (webhooks.retry_delays, webhooks.give_up_after) == ([0.0, 5.0, 30.0, 120.0, 600.0, 3600.0], 7 * 86_400)


def test_some_are_sent_before_the_answer_and_some_delivered_minutes_later() -> None:
    plans = [plan for plan in (_plan(str(number)) for number in range(20_000)) if plan[-1].what != "failed"]
    early = sum(plan[0].offset == 0.0 for plan in plans)
    assert early / len(plans) == pytest.approx(0.02, abs=0.004)
    gaps = [plan[1].offset - plan[0].offset for plan in plans if len(plan) > 1]
    assert sum(gap >= 60 for gap in gaps) / len(gaps) == pytest.approx(0.1, abs=0.01)


def test_half_of_what_fails_was_sent_before() -> None:
    settings = Timeline(failure_rate=1.0)
    first = Counter(_plan(str(number), settings=settings)[0].what for number in range(5000))
    assert first["sent"] / 5000 == pytest.approx(0.5, abs=0.025)


def test_answers_take_as_long_as_the_figures_say() -> None:
    settings = Timeline(slow_rate=0.0)
    taken = sorted(latency(Draws(seed=1, subject=str(number)), settings) for number in range(20_000))
    assert taken[10_000] == pytest.approx(0.12, rel=0.05)
    assert taken[19_800] == pytest.approx(0.9, rel=0.1)


def test_a_hundredth_of_the_answers_is_slow() -> None:
    slow = sum(latency(Draws(seed=1, subject=str(number)), Timeline()) == 10.0 for number in range(20_000))
    assert slow / 20_000 == pytest.approx(0.01, abs=0.003)


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


def test_a_told_status_has_never_happened_later_than_it_is_told() -> None:
    names: tuple[Status, ...] = ("sent", "delivered", "read", "failed")
    for statuses in permutations(names):
        steps = _plan("a", outcome=Outcome(statuses=statuses, fail=131026))
        assert [step.what for step in steps] == list(statuses)
        assert [step.offset for step in steps] == sorted(step.offset for step in steps)
        times = {step.what: step.offset if step.time is None else step.time for step in steps}
        assert times["sent"] < times["delivered"] < times["read"]
        assert all(times[step.what] <= step.offset for step in steps)


def test_a_silent_fate_announces_nothing() -> None:
    assert _plan("a", outcome=Outcome(silent=True)) == []
