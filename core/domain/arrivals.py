"""How many of a number's messages may arrive at WhatsApp within one second, however either side stumbles. Pure.

Evenly spaced departures promise nothing about arrivals: whatever holds one side up, what waited arrives at once, and
what leaves afterwards arrives with it. So messages are counted, and none departs while as many count as may arrive in
one second. A message whose answer takes no longer than usual arrived as evenly as it left: it counts for one second
from its departure. One that took longer may have been held up on its way: it counts as much longer. One without an
answer counts.

Why no second then holds more than are allowed: take the last of its messages to depart, at t; it arrived after t + out,
`out` being the usual way out. Another one of that second arrived less than a second earlier, and no later than its own
departure + out + lateness. So its departure + lateness is after t - 1, and at t it still counted.
"""

from collections import deque
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice, takewhile
from math import sqrt

_SECOND = 1.0
# What is usual is what the best of the last five seconds saw: no lump, however large, makes itself usual.
_SECONDS_KEPT = 5
_LEAST_ANSWERS = 20
# An answer is late beyond chance from here on; more such ones within a second than this share of the pace are a lump.
_LATE_STRETCH = 8.0
_LATE_SECONDS = 0.02
_LUMP = 0.05
# What is not answered while later ones have been for so long has arrived, or never will: its answer is lost.
_PATIENCE_SECONDS = 0.5
_MARK_SECONDS = 0.05
# While only an answer can make room, nobody knows when: ask again soon.
_LOOK_SECONDS = 0.005


@dataclass(slots=True)
class _Usual:
    """What answers usually take, how much longer they take on average, and the least they take; all in seconds."""

    latency: float = 0.0
    lateness: float = 0.0
    shortest: float = 0.0
    _seconds: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=_SECONDS_KEPT))
    _began: float = 0.0
    _count: int = 0
    _sum: float = 0.0
    _late_sum: float = 0.0
    _least: float = float("inf")

    def note(self, seconds: float, *, now: float) -> None:
        """Takes what an answer took."""
        if self._count == 0:
            self._began = now
        self._count += 1
        self._sum += seconds
        self._late_sum += max(0.0, seconds - self._sum / self._count)
        self._least = min(self._least, seconds)
        if self._count >= _LEAST_ANSWERS and now - self._began >= _SECOND:
            self._close(now)

    def _close(self, now: float) -> None:
        self._seconds.append((self._sum / self._count, self._late_sum / self._count, self._least))
        self.shortest = min(least for _, _, least in self._seconds)
        self.latency, self.lateness, _ = min(self._seconds)
        if len(self._seconds) < _SECONDS_KEPT:
            # The few seconds known may all have been bad ones: then only the shortest way is certain to be usual.
            self.latency, self.lateness = self.shortest, self.latency - self.shortest
        self._count, self._sum, self._late_sum, self._least = 0, 0.0, 0.0, float("inf")

    @property
    def longest(self) -> float:
        """What an answer may take and still be as chance has it."""
        return self.latency + _LATE_STRETCH * self.lateness + _LATE_SECONDS


@dataclass(slots=True)
class Arrivals:
    """Counts one number's messages that may arrive within a second; all times are seconds of one monotonic clock.

    One for each number and process: what an earlier run of the pump left on the wire counts on.
    """

    per_second: float
    _on_wire: dict[int, float] = field(default_factory=dict)
    _counted_until: list[float] = field(default_factory=list)
    _usual: _Usual = field(default_factory=_Usual)
    _late: deque[float] = field(default_factory=deque)
    _marks: deque[tuple[float, float]] = field(default_factory=deque)
    _next_call: int = 0
    _last_departure: float = float("-inf")

    def allowed(self, *, now: float) -> int:
        """Returns how many may count at once.

        Where answers take now longer and now shorter, what is late by chance counts too long; as much is allowed
        beside, but not while a lump is on its way.
        """
        beside = self.per_second * self._usual.lateness if self.is_calm(now=now) else 0.0
        # Its square root is about how far chance takes the count from its mean.
        return max(1, int(self.per_second + beside + sqrt(beside)))

    def take_over(self, *, now: float) -> None:
        """Begins to send for a number; in what is unknown of the last second others are taken to have sent evenly."""
        unknown = min(_SECOND, now - self._last_departure)
        spaces = range(int(unknown * self.per_second))
        self._counted_until += [now - (number + 1) / self.per_second + _SECOND for number in spaces]
        heapify(self._counted_until)
        self._last_departure = now

    def opening(self, *, now: float) -> float:
        """Returns when the next message may depart: now, or when it is worth while to ask again."""
        self._give_up_lost(now)
        while self._counted_until and self._counted_until[0] <= now:
            heappop(self._counted_until)
        if len(self._on_wire) + len(self._counted_until) < self.allowed(now=now):
            return now
        first = self._counted_until[0] if self._counted_until else now + _LOOK_SECONDS
        return min(first, now + _LOOK_SECONDS)

    def depart(self, *, now: float) -> int:
        """Notes that a message departs; returns the call by which its answer is noted."""
        self._next_call += 1
        self._on_wire[self._next_call] = self._last_departure = now
        return self._next_call

    def answer(self, call: int, *, now: float, is_accepted: bool) -> None:
        """Notes that a call has come to its end; only an accepted one tells what is usual."""
        departure = self._on_wire.pop(call, None)
        if departure is None:
            return
        if not is_accepted:
            heappush(self._counted_until, now + _SECOND)
            return
        if now - departure > self._usual.longest:
            self._late.append(now)
        # While a lump comes in, even an answer that took no longer than usual may have been held up.
        in_time = self._usual.latency if self.is_calm(now=now) else self._usual.shortest
        heappush(self._counted_until, max(departure, now - in_time) + _SECOND)
        self._usual.note(now - departure, now=now)
        if not self._marks or now - self._marks[-1][0] > _MARK_SECONDS:
            self._marks.append((now, departure))

    def is_calm(self, *, now: float) -> bool:
        """Tells whether messages arrive evenly, as one who takes over will take them to have done for a second."""
        while self._late and now - self._late[0] > _SECOND:
            self._late.popleft()
        lump = max(1, int(self.per_second * _LUMP))
        overdue = next(islice(self._on_wire.values(), lump, None), now)
        return len(self._late) <= lump and now - overdue <= self._usual.longest

    def _give_up_lost(self, now: float) -> None:
        overtaken = float("-inf")
        while self._marks and now - self._marks[0][0] > _PATIENCE_SECONDS:
            overtaken = max(overtaken, self._marks.popleft()[1])
        if overtaken == float("-inf"):
            return
        # In the order of their departures: the first one that is not overtaken ends the search.
        for call, _ in takewhile(lambda one: one[1] < overtaken, list(self._on_wire.items())):
            del self._on_wire[call]
            heappush(self._counted_until, now + _SECOND)
