"""How many of a number's messages may arrive at WhatsApp within one second, whatever happens on the way. Pure.

Evenly spaced departures promise nothing about arrivals: whatever holds a message up, it arrives together with those
that left later. When it arrived nobody tells, but it was between its departure and its answer. So a message counts
from its departure until a second after its answer, and none departs while as many count as may arrive in one second.

Why no second then holds more: take the last of its messages to depart, at t. It arrived after t, so each of the others
arrived after t - 1, so its answer came after t - 1 or has not come: at t it counted.

One thing more is believed, since it lets a message count a little less: that a way out and a way back together take no
less than the quickest answer of the last minute did. Once a quicker one comes, less is believed of all that was
answered within the second, too: what was too much is what departed before it came.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice, takewhile
from math import ceil

# A clock that is read in whole milliseconds sees as one second what took a little longer.
_SECOND = 1.001
# Of the quickest answer so much is believed: a server that was slow all the time may become quick at once.
_BELIEVED_SHARE = 0.9
_STRETCHES, _STRETCH_SECONDS = 12, 5.0
_LEAST_STRETCHES = 2
_BELIEVED_SECONDS = 0.5
# What has no answer for so long after later ones had theirs is alone in that: most likely its answer is lost.
_PATIENCE_SECONDS = 2.0
_MARK_SECONDS = 0.05
# While only an answer can make room, nobody knows when: ask again soon.
_LOOK_SECONDS = 0.005
# A pump that ended without a word may be frozen: for a minute room is kept for what it held ready to leave.
_KEPT_SECONDS = 60.0
_KEPT_SHARE = 0.02
# Of the pace, so much may be on the wire when another process begins to send; its answers are soon there.
_LEFT_SHARE = 0.04
_SOON_SECONDS = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What who sent before left behind, and told `age` seconds ago in a word that has a name.

    - `counted` are the seconds that each of its messages counts after the word.
    - `silence` are the seconds since a pump last ended without a word; infinite when none did.
    """

    name: object
    counted: Sequence[float]
    age: float
    silence: float


@dataclass(slots=True)
class _Quickest:
    """The least that an answer took within a minute.

    `believed` are the seconds that any way out and any way back take together; none before it is known long enough.
    """

    believed: float = 0.0
    _stretches: deque[float] = field(default_factory=lambda: deque(maxlen=_STRETCHES))
    _began: float = float("-inf")
    _least: float = float("inf")

    def note(self, seconds: float, *, now: float) -> None:
        """Takes what an answer took."""
        if now - self._began >= _STRETCH_SECONDS:
            if self._least < float("inf"):
                self._stretches.append(self._least)
            self._began, self._least = now, float("inf")
            self._believe()
        if seconds < self._least:
            self._least = seconds
            self._believe()

    def _believe(self) -> None:
        if len(self._stretches) >= _LEAST_STRETCHES:
            self.believed = min(_BELIEVED_SECONDS, _BELIEVED_SHARE * min(self._least, *self._stretches))


@dataclass(slots=True)
class _Answered:
    """The accepted messages whose answers came within a second, the oldest first: those that count, and the others."""

    counted: deque[float] = field(default_factory=deque)
    _others: deque[float] = field(default_factory=deque)

    def divide(self, *, now: float, counts: float) -> None:
        """Lets those count whose answers came less than `counts` seconds ago, of those within the second."""
        while self.counted and self.counted[0] + counts <= now:
            self._others.append(self.counted.popleft())
        while self._others and self._others[-1] + counts > now:
            self.counted.appendleft(self._others.pop())
        while self._others and self._others[0] + _SECOND <= now:
            self._others.popleft()


@dataclass(slots=True)
class Arrivals:
    """Counts one number's messages that may arrive within a second; all times are seconds of one monotonic clock.

    One for each number and process: what an earlier run of the pump left on the wire counts on.
    """

    per_second: float
    _on_wire: dict[int, float] = field(default_factory=dict)
    _answered: _Answered = field(default_factory=_Answered)
    _counted_until: list[float] = field(default_factory=list)
    _quickest: _Quickest = field(default_factory=_Quickest)
    _marks: deque[tuple[float, float]] = field(default_factory=deque)
    _lost: dict[int, int] = field(default_factory=dict)
    _lost_by_second: Counter[int] = field(default_factory=Counter)
    _kept_until: float = float("-inf")
    _own_word: object = None
    _next_call: int = 0

    def take_over(self, left: Left, *, now: float) -> None:
        """Begins to send for a number: what others left behind counts as its own does."""
        self._kept_until = max(self._kept_until, now + _KEPT_SECONDS - left.silence)
        own, self._own_word = self._own_word, None
        if left.name == own:
            return
        if own is not None:
            self._let_go()  # whoever sent since counts among its own what this process told before
        self._counted_until += [now + seconds - left.age for seconds in left.counted if seconds > left.age]
        heapify(self._counted_until)

    def leave(self, *, now: float, longest: float) -> list[float]:
        """Returns for who sends next how many seconds each message counts; no call takes longer than `longest`."""
        self._forget(now)
        departures = sorted(self._on_wire.values(), reverse=True)
        young, old = departures[: self._few], departures[self._few :]
        return [
            *(answer + self._counts_seconds - now for answer in self._answered.counted),
            *(until - now for until in self._counted_until),
            *(_SOON_SECONDS + _SECOND for _ in young),
            *(departure + longest + _SECOND - now for departure in old),
            *(longest + _SECOND for _ in range(self._late)),
        ]

    def say(self, word: object) -> None:
        """Notes the name of the word by which this process told what it left: it need not count that twice."""
        self._own_word = word

    def may_be_left(self, *, now: float) -> bool:
        """Whether so little is on the wire that another process can begin to send."""
        self._forget(now)
        return len(self._on_wire) <= self._few

    def opening(self, *, now: float) -> float:
        """Returns when the next message may depart: now, or when it is worth while to ask again."""
        self._forget(now)
        if len(self._on_wire) + len(self._answered.counted) + len(self._counted_until) < self._allowed(now):
            return now
        return min((now + _LOOK_SECONDS, *self._counted_until[:1], *self._next_answered()))

    def depart(self, *, now: float) -> int:
        """Notes that a message departs; returns the call by which its answer is noted."""
        self._next_call += 1
        self._on_wire[self._next_call] = now
        return self._next_call

    def answer(self, call: int, *, now: float, is_accepted: bool) -> None:
        """Notes that a call has come to its end; only an accepted one tells how quick answers are."""
        if call in self._lost:
            self._find(call)
        departure = self._on_wire.pop(call, None)
        if departure is None or not is_accepted:
            heappush(self._counted_until, now + _SECOND)
            return
        self._quickest.note(now - departure, now=now)
        self._answered.counted.append(now)
        if not self._marks or now - self._marks[-1][0] > _MARK_SECONDS:
            self._marks.append((now, departure))

    def _allowed(self, now: float) -> int:
        kept = ceil(self.per_second * _KEPT_SHARE) + 1 if now < self._kept_until else 0
        return max(1, int(self.per_second) - kept - self._late)

    @property
    def _late(self) -> int:
        """What has been without an answer for long may still arrive, and what left together also arrives together."""
        seconds = self._lost_by_second
        return max((count + seconds[second + 1] for second, count in seconds.items()), default=0)

    @property
    def _few(self) -> int:
        return int(self.per_second * _LEFT_SHARE)

    @property
    def _counts_seconds(self) -> float:
        """How long a message counts after its answer."""
        return _SECOND - self._quickest.believed

    def _next_answered(self) -> Iterator[float]:
        """Returns when the next one with an answer counts no more, if there is one."""
        return (answer + self._counts_seconds for answer in islice(self._answered.counted, 1))

    def _let_go(self) -> None:
        self._on_wire.clear()
        self._answered = _Answered()
        self._counted_until.clear()
        self._lost.clear()
        self._lost_by_second.clear()

    def _forget(self, now: float) -> None:
        self._answered.divide(now=now, counts=self._counts_seconds)
        while self._counted_until and self._counted_until[0] <= now:
            heappop(self._counted_until)
        overtaken = float("-inf")
        while self._marks and now - self._marks[0][0] > _PATIENCE_SECONDS:
            overtaken = max(overtaken, self._marks.popleft()[1])
        # In the order of their departures: the first one that is not overtaken ends the search.
        for call, departure in list(takewhile(lambda one: one[1] < overtaken, self._on_wire.items())):
            del self._on_wire[call]
            self._lose(call, departure, now=now)

    def _lose(self, call: int, departure: float, *, now: float) -> None:
        self._lost[call] = int(departure)
        self._lost_by_second[int(departure)] += 1
        heappush(self._counted_until, now + _SECOND)

    def _find(self, call: int) -> None:
        second = self._lost.pop(call)
        self._lost_by_second[second] -= 1
        if not self._lost_by_second[second]:
            del self._lost_by_second[second]
