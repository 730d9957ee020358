"""Messages as they arrive: a model of both ways, with stalls on either side, departures guarded as the pump's are."""

import heapq
import random  # noqa: TID251  # seeded: the model's own chance
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.domain.arrivals import Arrivals
from core.domain.pacing import Gate

PER_SECOND = 100


@dataclass(slots=True)
class World:
    """A line to a server that notes arrivals; during a stall neither bytes nor answers get through."""

    out: Callable[[], float]
    back: Callable[[], float]
    stalls: list[tuple[float, float]] = field(default_factory=list)
    lost_every: int = 0
    arrivals: list[float] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)

    def call(self, now: float) -> float:
        """Returns when the answer to a message that departs now is there."""
        self.departures.append(now)
        arrival = self.held(now + self.out())
        self.arrivals.append(arrival)
        if self.lost_every and len(self.departures) % self.lost_every == 0:
            return arrival + 30.0
        return self.held(arrival + self.back())

    def held(self, moment: float) -> float:
        """Returns when something that is due at a moment happens."""
        for began, seconds in sorted(self.stalls):
            if began <= moment < began + seconds:
                moment = began + seconds
        return moment

    def most_in_a_second(self) -> int:
        """Returns the most arrivals in any window of one second."""
        times, most, first = sorted(self.arrivals), 0, 0
        for last, moment in enumerate(times):
            while times[first] <= moment - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def usual_speed(self) -> float:
        """Returns the departures a second once it is known how long answers take."""
        known = [moment for moment in self.departures if moment >= 106.0]
        return len(known) / (known[-1] - 106.0)


def send(
    world: World, arrivals: Arrivals, *, seconds: float, start: float = 100.0, pace: float = 0.99, guarded: bool = True
) -> None:
    """Sends as fast as it may, as a pump does: the gate spaces departures, the arrivals hold them back."""
    gate, now, interval = Gate(), start, 1 / (PER_SECOND * pace)
    answers: list[tuple[float, int]] = []
    arrivals.take_over(now=now)
    while now < start + seconds:
        now = max(now, gate.opening(now))
        while answers and answers[0][0] <= now:
            moment, call = heapq.heappop(answers)
            arrivals.answer(call, now=moment, is_accepted=True)
        opening = arrivals.opening(now=now) if guarded else now
        if opening > now:
            now = min(opening, answers[0][0]) if answers else opening
            gate.hold(now=now)
            continue
        gate.pass_one(now=now, interval=interval)
        heapq.heappush(answers, (world.call(now), arrivals.depart(now=now)))


def constant(seconds: float) -> Callable[[], float]:
    return lambda: seconds


stalls = some.lists(some.tuples(some.floats(101, 107), some.floats(0.01, 1.5)), max_size=5)


@given(out=some.floats(0.0005, 0.2), back=some.floats(0.0005, 0.3), held=stalls)
@settings(max_examples=40, deadline=None)
def test_no_second_holds_more_than_the_limit_however_often_the_line_stalls(
    out: float, back: float, held: list[tuple[float, float]]
) -> None:
    world = World(out=constant(out), back=constant(back), stalls=held)
    send(world, Arrivals(PER_SECOND), seconds=8)
    assert world.most_in_a_second() <= PER_SECOND * 1.02


@given(seed=some.integers(0, 10_000), spread=some.floats(0.0, 0.2), held=stalls)
@settings(max_examples=40, deadline=None)
def test_nor_where_answers_take_now_longer_and_now_shorter(
    seed: int, spread: float, held: list[tuple[float, float]]
) -> None:
    """What hides behind answers that vary by themselves is a part of what they vary by."""
    chance = random.Random(seed)
    world = World(out=constant(0.02), back=lambda: 0.02 + chance.expovariate(1 / max(spread, 1e-6)), stalls=held)
    send(world, Arrivals(PER_SECOND), seconds=8)
    assert world.most_in_a_second() <= PER_SECOND * (1.03 + 1.5 * spread)


@pytest.mark.parametrize("seconds", [0.001, 0.06, 0.15])
def test_full_speed_is_kept_at_any_usual_latency(seconds: float) -> None:
    world = World(out=constant(seconds), back=constant(seconds))
    send(world, Arrivals(PER_SECOND), seconds=30)
    assert world.usual_speed() >= PER_SECOND * 0.985


def test_full_speed_is_kept_where_latencies_vary() -> None:
    chance = random.Random(1)
    world = World(out=constant(0.01), back=lambda: chance.lognormvariate(-2.2, 0.5))
    send(world, Arrivals(PER_SECOND), seconds=30)
    assert world.usual_speed() >= PER_SECOND * 0.97


def test_lost_answers_cost_little_speed() -> None:
    world = World(out=constant(0.01), back=constant(0.01), lost_every=100)
    send(world, Arrivals(PER_SECOND), seconds=30)
    assert world.usual_speed() >= PER_SECOND * 0.97


def test_unguarded_a_stall_of_a_third_of_a_second_makes_a_second_of_four_thirds() -> None:
    """What the model is good for: without the guard it is red."""
    world = World(out=constant(0.001), back=constant(0.001), stalls=[(103.0, 0.33)])
    send(world, Arrivals(PER_SECOND), seconds=6, guarded=False)
    assert world.most_in_a_second() > PER_SECOND * 1.25


def test_what_an_earlier_run_left_on_the_wire_counts_on() -> None:
    world = World(out=constant(0.001), back=constant(0.001), stalls=[(101.8, 0.4)])
    arrivals = Arrivals(PER_SECOND)
    send(world, arrivals, seconds=2)
    send(world, arrivals, seconds=2, start=102.0)
    assert world.most_in_a_second() <= PER_SECOND * 1.02


def test_who_takes_over_takes_the_last_second_to_have_been_full() -> None:
    arrivals = Arrivals(PER_SECOND)
    arrivals.take_over(now=100.0)
    departed = 0
    while arrivals.opening(now=100.1) <= 100.1:
        arrivals.depart(now=100.1)
        departed += 1
    assert departed == pytest.approx(PER_SECOND * 0.1, abs=1)


def test_it_is_calm_a_second_after_a_lump_of_late_answers() -> None:
    arrivals = Arrivals(PER_SECOND)
    late = [arrivals.depart(now=100.0) for _ in range(20)]
    assert not arrivals.is_calm(now=100.3)
    for call in late:
        arrivals.answer(call, now=100.3, is_accepted=True)
    assert not arrivals.is_calm(now=101.0)
    assert arrivals.is_calm(now=101.4)
