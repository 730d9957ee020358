"""Messages as they arrive: a model of both ways and of the processes that send, with all that may befall them."""

import random  # noqa: TID251  # seeded: the model's own chance
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core.domain.arrivals import Arrivals, Left
from tests.helpers.line_model import (
    A_SILENT_END,
    HELD_READY,
    LEASE_SECONDS,
    NOTHING_LEFT,
    PER_SECOND,
    QUIET_SECONDS,
    Sending,
    Stretch,
    World,
    constant,
    log_normal,
    send,
    spread,
    ways,
)

stalls = some.lists(some.tuples(some.floats(101, 107), some.floats(0.01, 1.5)), max_size=5)
freezes = some.lists(some.tuples(some.floats(101, 107), some.floats(0.01, 3.0)), max_size=2)
seeds = some.integers(0, 10_000)
accepts = some.sampled_from(["at first", "at last", "between"])


@given(out=some.floats(0.0005, 0.2), back=some.floats(0.0005, 0.3), held=stalls)
@settings(max_examples=40, deadline=None)
def test_no_second_holds_more_than_the_limit_however_often_the_line_stalls(
    out: float, back: float, held: list[Stretch]
) -> None:
    world = World(out=constant(out), back=constant(back), stalls=held)
    send(world, seconds=8)
    assert world.most_in_a_second() <= PER_SECOND


@given(seed=seeds, accepts=accepts, held=stalls, frozen=freezes)
@settings(max_examples=60, deadline=None)
def test_nor_where_answers_take_now_10_ms_and_now_350_and_the_process_is_frozen(
    seed: int, accepts: str, held: list[Stretch], frozen: list[Stretch]
) -> None:
    out, back = ways(seed, accepts=accepts)
    world = World(out=out, back=back, stalls=held, freezes=frozen)
    send(world, seconds=8)
    assert world.most_in_a_second() <= PER_SECOND


@given(seed=seeds, accepts=accepts, held=some.lists(some.tuples(some.floats(112, 120), some.floats(0.01, 1.5))))
@settings(max_examples=20, deadline=None)
def test_nor_once_it_is_known_how_quick_answers_are(seed: int, accepts: str, held: list[Stretch]) -> None:
    """But for one, where a way out and a way back are quick together that never were in one answer."""
    out, back = ways(seed, accepts=accepts)
    world = World(out=out, back=back, stalls=held)
    send(world, seconds=22)
    assert world.most_in_a_second() <= PER_SECOND + 1


@given(seed=seeds, accepts=accepts, held=stalls, dies=some.floats(102, 106))
@settings(max_examples=40, deadline=None)
def test_nor_when_one_is_killed_and_another_finds_its_lease_ended(
    seed: int, accepts: str, held: list[Stretch], dies: float
) -> None:
    out, back = ways(seed, accepts=accepts)
    world = World(out=out, back=back, stalls=held)
    Sending(world).run(NOTHING_LEFT, start=100.0, end=dies)
    Sending(world).run(A_SILENT_END, start=max(dies, *(sum(one) for one in held), 0) + QUIET_SECONDS, end=112.0)
    assert world.most_in_a_second() <= PER_SECOND


@given(seed=seeds, accepts=accepts, thaws=some.floats(2.0, 8.0))
@settings(max_examples=40, deadline=None)
def test_nor_when_a_frozen_process_thaws_and_what_it_held_ready_leaves(seed: int, accepts: str, thaws: float) -> None:
    out, back = ways(seed, accepts=accepts)
    world = World(out=out, back=back)
    frozen = Sending(world)
    frozen.run(NOTHING_LEFT, start=100.0, end=104.0)
    begins = 104.0 + LEASE_SECONDS
    frozen.hold_ready(HELD_READY, until=begins + thaws)
    Sending(world).run(A_SILENT_END, start=begins, end=begins + 10.0)
    assert world.most_in_a_second() <= PER_SECOND


short_stalls = some.lists(some.tuples(some.floats(101, 107), some.floats(0.01, 0.55)), max_size=2)


@given(seed=seeds, accepts=accepts, held=short_stalls, ends=some.floats(102, 106))
@settings(max_examples=40, deadline=None)
def test_nor_when_one_process_hands_over_to_another(seed: int, accepts: str, held: list[Stretch], ends: float) -> None:
    out, back = ways(seed, accepts=accepts)
    world = World(out=out, back=back, stalls=held)
    before = Sending(world)
    before.run(NOTHING_LEFT, start=100.0, end=ends)
    left = before.hand_over()
    Sending(world).run(left, start=before.now, end=112.0)
    assert world.most_in_a_second() <= PER_SECOND


@pytest.mark.parametrize("seconds", [0.001, 0.01])
def test_the_pace_is_used_where_the_answer_is_quick(seconds: float) -> None:
    world = World(out=constant(seconds), back=constant(seconds))
    send(world, seconds=40)
    assert world.usual_speed() >= PER_SECOND * 0.98


@pytest.mark.parametrize("seconds", [0.06, 0.2])
def test_a_long_way_that_never_was_shorter_costs_little(seconds: float) -> None:
    world = World(out=constant(seconds), back=constant(seconds))
    send(world, seconds=30)
    assert world.usual_speed() >= PER_SECOND * 0.95


@pytest.mark.parametrize("accepts", ["at first", "at last"])
def test_a_server_that_turns_quick_at_once_gets_no_more_than_what_left_before_it_was_known(accepts: str) -> None:
    """Which are those that the gate lets catch up and those that leave until the first quick answer is there."""
    clock = iter(range(1_000_000))
    turning = lambda: 0.4 if next(clock) < 3000 else 0.004  # noqa: E731
    out, back = {"at first": (constant(0.001), turning), "at last": (turning, constant(0.001))}[accepts]
    world = World(out=out, back=back, overtakes=True)
    send(world, seconds=50)
    assert world.most_in_a_second() <= PER_SECOND + 3


@pytest.mark.parametrize(
    ("rate", "least", "most", "used"),
    [(100, 0.01, 0.1, 0.94), (100, 0.01, 0.35, 0.86), (1000, 0.01, 0.1, 0.95), (1000, 0.01, 0.35, 0.92)],
)
def test_the_pace_is_used_where_answers_take_now_little_and_now_long(
    rate: int, least: float, most: float, used: float
) -> None:
    """A message counts all but the quickest, but not much longer than until one that left later has its answer."""
    chance = random.Random(1)
    world = World(out=spread(chance, 0.0002, 0.003), back=spread(chance, least, most))
    Sending(world, arrivals=Arrivals(rate)).run(NOTHING_LEFT, start=100.0, end=150.0)
    assert world.usual_speed() >= rate * used


@pytest.mark.parametrize("most", [0.1, 0.35])
def test_a_server_that_counts_in_disorder_gets_no_more_than_the_limit(most: float) -> None:
    """One that notes a message only when it answers, after now 10 ms and now many more."""
    chance = random.Random(1)
    world = World(out=spread(chance, 0.01, most), back=spread(chance, 0.0002, 0.003), overtakes=True)
    send(world, seconds=100)
    assert world.most_in_a_second() <= PER_SECOND


@pytest.mark.parametrize(("rate", "used"), [(100, 0.85), (1000, 0.91)])
def test_the_pace_is_used_where_few_answers_take_very_long(rate: int, used: float) -> None:
    """About as many as ever are taken for arrived before their own answers are there: that costs nothing."""
    chance = random.Random(1)
    world = World(out=spread(chance, 0.0002, 0.003), back=log_normal(chance, 0.12, 0.9))
    Sending(world, arrivals=Arrivals(rate)).run(NOTHING_LEFT, start=100.0, end=150.0)
    assert world.usual_speed() >= rate * used


@pytest.mark.parametrize("ways", [10, 4, 2])
@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.0, 3.0])
def test_a_part_of_the_ways_that_stands_still_adds_hardly_anything_however_large_it_is(
    ways: int, seconds: float
) -> None:
    """That later ones on other ways have their answers is believed of no more than usual."""
    world = World(out=constant(0.001), back=constant(0.05), ways=ways, partly=(115.0, seconds))
    send(world, seconds=25)
    assert world.most_in_a_second() <= PER_SECOND * 1.01


def test_nor_does_it_where_answers_take_long_and_vary() -> None:
    chance = random.Random(1)
    world = World(out=constant(0.001), back=log_normal(chance, 0.12, 0.9), ways=2, partly=(115.0, 1.0))
    send(world, seconds=25)
    assert world.most_in_a_second() <= PER_SECOND


@pytest.mark.parametrize("seconds", [0.25, 0.5, 1.0])
def test_it_adds_little_where_a_number_goes_to_another_process_meanwhile(seconds: float) -> None:
    world = World(out=constant(0.001), back=constant(0.05), ways=2, partly=(120.0 - seconds / 2, seconds))
    before = Sending(world)
    before.run(NOTHING_LEFT, start=100.0, end=120.0)
    left = before.hand_over()
    Sending(world).run(left, start=before.now, end=125.0)
    assert world.most_in_a_second() <= PER_SECOND * 1.02


def test_what_hangs_beside_others_is_told_to_who_comes_next() -> None:
    before = Arrivals(PER_SECOND)
    for number in range(40):
        before.depart(now=100.0 + number / 100)
    before.answer(before.depart(now=100.4), now=100.5, is_accepted=True)
    told = before.leave(now=101.7, longest=30.0)
    assert sum(seconds > 29 for seconds in told) == 40


def test_a_hand_over_costs_nearly_nothing() -> None:
    out, back = ways(1, accepts="between")
    world, left, start = World(out=out, back=back), NOTHING_LEFT, 100.0
    for end in range(105, 145, 5):
        process = Sending(world)
        process.run(left, start=start, end=float(end))
        left, start = process.hand_over(), process.now
    assert world.usual_speed() >= PER_SECOND * 0.9


def test_lost_answers_cost_some_speed() -> None:
    world = World(out=constant(0.01), back=constant(0.01), lost_every=100)
    send(world, seconds=60)
    assert world.usual_speed() >= PER_SECOND * 0.93


def test_unguarded_a_stall_of_a_third_of_a_second_makes_a_second_of_four_thirds() -> None:
    """What the model is good for: without the guard it is red."""
    world = World(out=constant(0.001), back=constant(0.001), stalls=[(103.0, 0.33)])
    send(world, seconds=6, guarded=False)
    assert world.most_in_a_second() > PER_SECOND * 1.25


def test_what_an_earlier_run_left_on_the_wire_counts_on() -> None:
    world = World(out=constant(0.001), back=constant(0.001), stalls=[(101.8, 0.4)])
    process = Sending(world)
    process.run(NOTHING_LEFT, start=100.0, end=102.0)
    process.run(NOTHING_LEFT, start=102.0, end=104.0)
    assert world.most_in_a_second() <= PER_SECOND


def test_what_this_process_left_itself_is_not_counted_twice() -> None:
    arrivals = Arrivals(PER_SECOND)
    turn = arrivals.take_over(NOTHING_LEFT, now=100.0)
    calls = [arrivals.depart(now=100.0) for _ in range(PER_SECOND // 2)]
    for call in calls:
        arrivals.answer(call, now=100.1, is_accepted=True)
    told = arrivals.leave(now=100.2, longest=30.0)
    arrivals.note_word("word", turn=turn)
    arrivals.take_over(Left(name="word", counted=told, age=0.1, silence=inf), now=100.3)
    assert _room(arrivals, now=100.3) == PER_SECOND // 2


def test_what_it_is_not_known_to_have_told_is_counted_twice_rather_than_not_at_all() -> None:
    """The word may stand though its answer was lost: until then nobody else may have counted what is on the wire."""
    arrivals = Arrivals(PER_SECOND)
    turn = arrivals.take_over(NOTHING_LEFT, now=100.0)
    for _ in range(PER_SECOND // 4):
        arrivals.depart(now=100.0)
    told = arrivals.leave(now=100.2, longest=30.0)
    arrivals.note_word(None, turn=turn)
    arrivals.take_over(Left(name="word", counted=told, age=0.1, silence=inf), now=100.3)
    assert _room(arrivals, now=100.3) == PER_SECOND // 2


def test_a_call_that_hangs_is_counted_once_however_often_two_processes_hand_over() -> None:
    """What one was told it tells back: counted beside its own calls, they would soon be more than the limit."""
    one, other = Arrivals(PER_SECOND), Arrivals(PER_SECOND)
    one.depart(now=100.0)
    told: list[float] = []
    for number in range(40):
        now, process = 100.0 + number / 10, (one, other)[number % 2]
        word = Left(name=number - 1 if number else None, counted=told, age=0.0, silence=inf)
        turn = process.take_over(word, now=now)
        told = process.leave(now=now, longest=30.0)
        process.note_word(number, turn=turn)
    assert len(told) == 1


def test_what_hangs_counts_for_who_comes_next_until_its_call_must_have_ended() -> None:
    before, after = Arrivals(PER_SECOND), Arrivals(PER_SECOND)
    for _ in range(PER_SECOND):
        before.depart(now=100.0)
    assert not before.may_be_left(now=103.0)
    left = Left(name="word", counted=before.leave(now=103.0, longest=10.0), age=0.0, silence=inf)
    after.take_over(left, now=103.0)
    # All but the few that may be left, of which answers are expected soon.
    assert _room(after, now=110.9) <= PER_SECOND * 0.04
    assert _room(after, now=111.1) >= PER_SECOND * 0.9


def test_after_a_silent_end_room_is_kept_for_a_minute() -> None:
    arrivals = Arrivals(PER_SECOND)
    arrivals.take_over(A_SILENT_END, now=100.0)
    assert _room(arrivals, now=100.0) == PER_SECOND - HELD_READY
    arrivals = Arrivals(PER_SECOND)
    arrivals.take_over(Left(name=None, counted=(), age=inf, silence=61.0), now=100.0)
    assert _room(arrivals, now=100.0) == PER_SECOND


def test_calls_that_hang_together_are_expected_together_also_when_others_overtake_them() -> None:
    arrivals = Arrivals(PER_SECOND)
    hanging = [arrivals.depart(now=100.0 + number / 1000) for number in range(40)]
    arrivals.answer(arrivals.depart(now=101.0), now=101.0, is_accepted=True)
    assert _room(arrivals, now=105.0, take=False) == PER_SECOND - 80, "they may just have arrived, and may still"
    assert _room(arrivals, now=107.0, take=False) == PER_SECOND - 40
    for call in hanging:
        arrivals.answer(call, now=108.0, is_accepted=True)
    assert _room(arrivals, now=109.1) == PER_SECOND


@pytest.mark.parametrize("start", [100.0, 100.5])
def test_calls_that_hang_are_expected_together_whenever_their_second_began(start: float) -> None:
    arrivals = Arrivals(PER_SECOND)
    for number in range(80):
        arrivals.depart(now=start + number / 100)
    arrivals.answer(arrivals.depart(now=start + 1.0), now=start + 1.0, is_accepted=True)
    assert _room(arrivals, now=start + 5.0, take=False) < PER_SECOND - 80, "they may just have arrived, and may still"
    assert _room(arrivals, now=start + 7.0) == PER_SECOND - 80


def _room(arrivals: Arrivals, *, now: float, take: bool = True) -> int:
    """Counts how many may depart at once."""
    departed = []
    while arrivals.opening(now=now) <= now:
        departed.append(arrivals.depart(now=now))
    if not take:
        for call in departed:
            arrivals.answer(call, now=now - 2.0, is_accepted=False)
    return len(departed)
