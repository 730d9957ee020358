"""A model of both ways to WhatsApp and of the processes that send, with all that may befall them."""

import heapq
import random  # noqa: TID251  # seeded: the model's own chance
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, log
from statistics import NormalDist

from core.domain.arrivals import Arrivals, Left
from core.domain.pacing import Gate

PER_SECOND = 100
# What a process may hold between its last look at the lease and its socket while it is frozen.
HELD_READY = 3
LEASE_SECONDS, QUIET_SECONDS = 10.0, 1.5
Stretch = tuple[float, float]


@dataclass(slots=True)
class World:
    """A line to a server that notes arrivals; during a stall neither bytes nor answers get through.

    What leaves later arrives later, unless it is one where messages overtake each other. Of so many `ways` one stands
    still `partly`, and with it what leaves on it then.
    """

    out: Callable[[], float]
    back: Callable[[], float]
    stalls: list[Stretch] = field(default_factory=list)
    freezes: list[Stretch] = field(default_factory=list)
    lost_every: int = 0
    overtakes: bool = False
    ways: int = 4
    partly: Stretch = (0.0, 0.0)
    arrivals: list[float] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)
    _latest: float = 0.0

    def call(self, now: float, *, written: float | None = None) -> float:
        """Returns when the answer is noted to a message that departs now and whose bytes leave when `written`."""
        self.departures.append(now)
        arrival = _held(self.stalls, (now if written is None else written) + self.out())
        if len(self.departures) % self.ways == 0 and (held := _held([self.partly], now)) > now:
            arrival = held
        elif written is None and not self.overtakes:
            arrival = self._latest = max(arrival, self._latest)
        self.arrivals.append(arrival)
        if self.lost_every and len(self.departures) % self.lost_every == 0:
            return arrival + 30.0
        return self.awake(_held(self.stalls, arrival + self.back()))

    def awake(self, moment: float) -> float:
        """Returns when the process does what is due at a moment."""
        return _held(self.freezes, moment)

    def most_in_a_second(self) -> int:
        """Returns the most arrivals in any window of one second, both ends included."""
        times, most, first = sorted(self.arrivals), 0, 0
        for last, moment in enumerate(times):
            while times[first] < moment - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def usual_speed(self) -> float:
        """Returns the departures a second once it is known how long answers take."""
        known = [moment for moment in self.departures if moment >= 115.0]
        return len(known) / (known[-1] - 115.0)


def _held(stretches: list[Stretch], moment: float) -> float:
    for began, seconds in sorted(stretches):
        if began <= moment < began + seconds:
            moment = began + seconds
    return moment


@dataclass(slots=True)
class Sending:
    """A process: as fast as it may, as a pump does, the gate spaces departures, the arrivals hold them back."""

    world: World
    arrivals: Arrivals = field(default_factory=lambda: Arrivals(PER_SECOND))
    pace: float = 0.99
    guarded: bool = True
    now: float = 100.0
    _answers: list[tuple[float, int]] = field(default_factory=list)
    _gate: Gate = field(default_factory=Gate)

    def run(self, left: Left, *, start: float, end: float) -> None:
        """Sends from one moment to another; what is on the wire then stays there."""
        self.now = start
        self.arrivals.take_over(left, now=start)
        while (now := self._next_moment()) < end:
            opening = self.arrivals.opening(now=now) if self.guarded else now
            if opening > now:
                self.now = min(opening, self._answers[0][0]) if self._answers else opening
                continue
            self._gate.pass_one(now=now, interval=1 / (self.arrivals.per_second * self.pace))
            heapq.heappush(self._answers, (self.world.call(now), self.arrivals.depart(now=now)))

    def _next_moment(self) -> float:
        self.now = self.world.awake(max(self.now, self._gate.opening(self.now)))
        self._hear()
        return self.now

    def _hear(self) -> None:
        while self._answers and self._answers[0][0] <= self.now:
            moment, call = heapq.heappop(self._answers)
            self.arrivals.answer(call, now=max(moment, self.now), is_accepted=True)

    def hold_ready(self, count: int, *, until: float) -> None:
        """Departs messages whose bytes are written only when the process is thawed."""
        for _ in range(count):
            if self.arrivals.opening(now=self.now) > self.now:
                break
            self.arrivals.depart(now=self.now)
            self.world.call(self.now, written=until)

    def hand_over(self) -> Left:
        """Waits until little is on the wire, at most three seconds, and tells the next process what is left."""
        end = self.now + 3.0
        while self.now < end and not self.arrivals.may_be_left(now=self.now):
            self.now += 0.02
            self._hear()
        return Left(name="word", counted=self.arrivals.leave(now=self.now, longest=30.0), age=0.0, silence=inf)


NOTHING_LEFT = Left(name=None, counted=(), age=inf, silence=inf)
A_SILENT_END = Left(name=None, counted=(), age=inf, silence=0.0)


def send(world: World, *, seconds: float, guarded: bool = True) -> None:
    """Sends from second 100 on in one process that takes over from nobody."""
    Sending(world, guarded=guarded).run(NOTHING_LEFT, start=100.0, end=100.0 + seconds)


def constant(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def spread(chance: random.Random, least: float, most: float) -> Callable[[], float]:
    return lambda: chance.uniform(least, most)


def log_normal(chance: random.Random, median: float, p99: float) -> Callable[[], float]:
    return lambda: chance.lognormvariate(log(median), log(p99 / median) / NormalDist().inv_cdf(0.99))


def ways(seed: int, *, accepts: str) -> tuple[Callable[[], float], Callable[[], float]]:
    """Returns ways out and back of servers that accept messages at first, when they answer, or between."""
    chance = random.Random(seed)
    quick, slow, slower = spread(chance, 0.0002, 0.003), spread(chance, 0.01, 0.1), spread(chance, 0.01, 0.35)
    half = spread(chance, 0.005, 0.05)
    return {"at first": (quick, slower), "at last": (slow, quick), "between": (half, half)}[accepts]
