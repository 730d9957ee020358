"""The clock that can run fast, stand still and jump, and the agenda that waits on it."""

from simulator.clock import Agenda, Clock
from tests.helpers.eventually import eventually


class Wall:
    """A monotonic clock that moves by hand."""

    def __init__(self) -> None:
        self.time = 50.0

    def __call__(self) -> float:
        return self.time


def test_a_compressed_clock_runs_faster_than_the_wall() -> None:
    wall = Wall()
    clock = Clock(factor=60.0, start=1000.0, monotonic=wall)
    wall.time += 2
    assert clock.now() == 1120.0
    assert clock.real_wait(1180.0) == 1.0


def test_a_change_of_speed_does_not_make_time_jump() -> None:
    wall = Wall()
    clock = Clock(factor=10.0, start=0.0, monotonic=wall)
    wall.time += 1
    clock.set_factor(1.0)
    wall.time += 1
    assert clock.now() == 11.0


def test_a_stopped_clock_moves_only_by_hand() -> None:
    wall = Wall()
    clock = Clock(factor=0.0, start=0.0, monotonic=wall)
    wall.time += 100
    assert clock.now() == 0.0
    assert clock.real_wait(1.0) is None
    clock.advance(3600)
    assert clock.now() == 3600.0


async def test_an_agenda_does_what_is_due_in_the_order_of_its_time() -> None:
    clock = Clock(factor=0.0, start=0.0)
    agenda = Agenda(clock)
    done: list[float] = []
    for due_time in (30.0, 10.0, 20.0, 10.0):
        agenda.at(due_time, done.append)
    clock.advance(25)
    await eventually(lambda: len(done) == 3)
    assert done == [10.0, 10.0, 20.0]
    assert len(agenda) == 1
    agenda.clear()


async def test_one_action_that_fails_does_not_stop_the_others() -> None:
    agenda = Agenda(Clock(start=0.0))
    done: list[float] = []

    def fail(due_time: float) -> None:
        raise RuntimeError

    agenda.at(0.0, fail)
    agenda.at(0.0, done.append)
    await eventually(lambda: done)


async def test_what_is_planned_earlier_than_the_next_entry_is_not_late() -> None:
    agenda = Agenda(Clock(start=0.0))
    done: list[float] = []
    agenda.at(3600.0, done.append)
    agenda.at(0.01, done.append)
    await eventually(lambda: done == [0.01], timeout=1.0)
    agenda.clear()
