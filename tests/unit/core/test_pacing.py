"""The arithmetic of the pace, on a clock that the tests move."""

from hypothesis import example, given, settings
from hypothesis import strategies as some

from core.domain.breaker import Breaker
from core.domain.pacing import HORIZON_SECONDS, Gate, Tempo

steps = some.lists(some.tuples(some.floats(0, 2), some.integers(1, 400)), min_size=1, max_size=40)


@given(steps=steps, per_second=some.floats(0.5, 1000))
@settings(max_examples=200)
def test_no_second_holds_more_than_the_pace_allows(steps: list[tuple[float, int]], per_second: float) -> None:
    tempo, now, slots = Tempo(), 1000.0, list[float]()
    for wait, count in steps:
        now += wait
        permits = tempo.reserve(now=now, per_second=per_second, count=count)
        slots += [permits.slot(index) for index in range(permits.count)]
    limit = int(per_second) + 1
    assert all(slots[i + limit] - slots[i] > 1.0 - 1e-6 for i in range(len(slots) - limit))
    assert all(slot <= now + HORIZON_SECONDS + 1e-6 for slot in slots[-1:])


asked = some.tuples(some.floats(0, 2), some.integers(1, 400), some.floats(0.5, 1000), some.integers(0, 400))


@given(steps=some.lists(asked, min_size=1, max_size=40))
@example(steps=[(0, 400, 100.0, 0), (0.2, 1, 1.0, 1), (0.0, 400, 100.0, 0)])
@settings(max_examples=200)
def test_nor_does_one_in_which_the_pace_changes_and_slots_are_given_back_hold_more_than_the_fastest_allows(
    steps: list[tuple[float, int, float, int]],
) -> None:
    tempo, now, slots = Tempo(), 1000.0, list[float]()
    for wait, count, per_second, unused in steps:
        now += wait
        permits = tempo.reserve(now=now, per_second=per_second, count=count)
        used = max(0, permits.count - unused)
        tempo.give_back(permits, permits.count - used)
        slots += [permits.slot(index) for index in range(used)]
    limit = int(max(per_second for _, _, per_second, _ in steps)) + 1
    assert all(slots[i + limit] - slots[i] > 1.0 - 1e-6 for i in range(len(slots) - limit))


@given(steps=steps)
def test_slots_are_given_back_only_while_they_are_the_newest(steps: list[tuple[float, int]]) -> None:
    tempo, now = Tempo(), 0.0
    first = tempo.reserve(now=now, per_second=100, count=10)
    second = tempo.reserve(now=now, per_second=100, count=10)
    end = tempo.next_slot
    tempo.give_back(first, 10)
    assert tempo.next_slot == end
    tempo.give_back(second, 4)
    assert abs(end - tempo.next_slot - 0.04) < 1e-9


def test_slots_of_a_slow_pace_are_not_the_newest_once_a_raised_one_has_slots() -> None:
    tempo = Tempo()
    slow = tempo.reserve(now=0.0, per_second=1, count=1)
    raised = tempo.reserve(now=0.0, per_second=1000, count=500)
    tempo.give_back(slow, 1)
    assert tempo.next_slot == raised.slot(raised.count)


def test_throttling_halves_the_pace_once_per_burst_and_it_recovers_slowly() -> None:
    tempo = Tempo()
    for _ in range(50):
        tempo.throttle(now=100.0)
    assert tempo.factor == 0.5
    assert tempo.reserve(now=100.5, per_second=10, count=1).count == 0
    assert tempo.reserve(now=101.5, per_second=10, count=1).count == 1
    tempo.reserve(now=111.5, per_second=10, count=1)
    assert tempo.factor == 0.6
    tempo.reserve(now=200.0, per_second=10, count=1)
    assert tempo.factor == 1.0


def test_each_hold_is_longer_than_the_last_one_up_to_a_minute() -> None:
    tempo, now, holds = Tempo(), 0.0, list[float]()
    for _ in range(9):
        tempo.throttle(now=now)
        holds.append(tempo.hold_until - now)
        now = tempo.hold_until + 2
    assert holds == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_gate_makes_up_for_a_delay_only_a_little() -> None:
    gate, left = Gate(), 0
    # All slots of a second are long past when the process wakes up; at most the tolerance leaves at once.
    for _ in range(100):
        if gate.opening(0.0) <= 10.0:
            gate.pass_one(now=10.0, interval=0.01)
            left += 1
    assert left <= 3


def test_the_breaker_trips_on_twenty_in_a_row_and_not_on_one_in_four() -> None:
    straight = Breaker()
    assert [straight.record(systematic=True) for _ in range(20)].index(True) == 19
    mixed = Breaker()
    assert not any(mixed.record(systematic=number % 4 == 0) for number in range(400))


def test_the_breaker_trips_when_a_third_fails() -> None:
    breaker = Breaker()
    assert any(breaker.record(systematic=number % 3 == 0) for number in range(300))
