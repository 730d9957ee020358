"""How many of a number's messages may arrive at WhatsApp within one second, whatever happens on the way. Pure.

Evenly spaced departures promise nothing about arrivals: whatever holds a message up, it arrives together with those
that left later. When it arrived nobody tells, but it was between its departure and its answer. So a message counts
from its departure until a second after its answer, and none departs while as many count as may arrive in one second.

Why no second then holds more: take the last of its messages to depart, at t. It arrived after t, so each of the others
arrived after t - 1, so its answer came after t - 1 or has not come: at t it counted.

Two things more are believed, since they let a message count a little less:
- A message has arrived once one that left later has its answer (`core/domain/underway.py`): where answers take long and
  vary, it counts until a second after that and a little grace. That is believed of about as many at a time as is usual
  (`core/domain/trusted.py`): of more than that, a part of the connections may stand still.
- A way out and a way back together take no less than the quickest answer of the last minute did. Once a quicker one
  comes, less is believed of all that was answered within the second, too: what was too much departed before it came.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice
from math import ceil

from core.domain.trusted import Trusted
from core.domain.underway import Underway

# A clock that is read in whole milliseconds sees as one second what took a little longer.
_SECOND = 1.001
# From the quickest answer so much of a usual one is taken off: what varies may be quicker still, on its own way each.
_DOUBTED_SHARE = 0.1
_USUAL_SHARE = 0.01
_STRETCHES, _STRETCH_SECONDS = 12, 5.0
_LEAST_STRETCHES = 2
_BELIEVED_SECONDS = 0.5
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
    _usual: float = 0.0

    def note(self, seconds: float, *, now: float) -> None:
        """Takes what an answer took."""
        self._usual += (seconds - self._usual) * (_USUAL_SHARE if self._usual else 1.0)
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
            least = min(self._least, *self._stretches)
            self.believed = min(_BELIEVED_SECONDS, max(0.0, least - _DOUBTED_SHARE * self._usual))


@dataclass(slots=True)
class _Answered:
    """The messages that had arrived, at the latest, within the second: those that count, and others; the oldest first.

    Each stands there with the moment of its answer, or with the one from which on it was taken for arrived.
    """

    counted: deque[float] = field(default_factory=deque)
    _others: deque[float] = field(default_factory=deque)

    def divide(self, *, now: float, counts: float) -> None:
        """Lets those count whose moment is less than `counts` seconds ago, of those within the second."""
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

    - `_underway` has the calls without an answer; `_answered` those with one, or taken for arrived, of the last second.
    - `_counted_until` is a heap of when others count no more: what other processes left, was refused, or was given up.
    - `_kept_until`: so long some room is kept for a pump that ended without a word.
    - `_turn` numbers the runs that sent here. `_own_word` names the word by which the last of them told what it left,
      None while that is not known to have been heard.
    """

    per_second: float
    _underway: Underway = field(default_factory=Underway)
    _answered: _Answered = field(default_factory=_Answered)
    _trusted: Trusted = field(default_factory=Trusted)
    _counted_until: list[float] = field(default_factory=list)
    _quickest: _Quickest = field(default_factory=_Quickest)
    _kept_until: float = float("-inf")
    _turn: int = 0
    _own_word: object = None
    _next_call: int = 0

    def take_over(self, left: Left, *, now: float) -> int:
        """Begins to send for a number: what others left behind counts as its own does. Returns this turn's number."""
        self._turn += 1
        self._kept_until = max(self._kept_until, now + _KEPT_SECONDS - left.silence)
        own, self._own_word = self._own_word, None
        if left.name != own:
            if own is not None:
                self._let_go()  # whoever sent since was told of it, and tells it on: it is among what others left
            self._counted_until += [now + seconds - left.age for seconds in left.counted if seconds > left.age]
            heapify(self._counted_until)
        return self._turn

    def leave(self, *, now: float, longest: float) -> list[float]:
        """Returns for who sends next how many seconds each message counts; no call takes longer than `longest`."""
        self._forget(now)
        departures = sorted(self._underway.unheard, reverse=True)
        young, old = departures[: self._few], departures[self._few :]
        # What may stand still takes the place of the oldest, which would be the first to count no more.
        silent = self._trusted.silent(per_second=self.per_second)
        return [
            *(answer + self._counts_seconds - now for answer in islice(self._answered.counted, silent, None)),
            *(until - now for until in self._counted_until),
            *(end + _SECOND - now for end in self._underway.graces(per_second=self.per_second)),
            *(_SOON_SECONDS + _SECOND for _ in range(len(young) + silent + self._unusual)),
            *(departure + longest + _SECOND - now for departure in old),
            *(longest + _SECOND for _ in range(self._underway.late)),
        ]

    def note_word(self, word: object, *, turn: int) -> None:
        """Notes the name of the word by which this process told what a turn left: it need not count that twice.

        Once the next turn has begun it is too late: what that one sends the word does not tell.
        """
        if turn == self._turn:
            self._own_word = word

    def may_be_left(self, *, now: float) -> bool:
        """Whether so little is on the wire that another process can begin to send."""
        self._forget(now)
        return len(self._underway.unheard) <= self._few

    def opening(self, *, now: float) -> float:
        """Returns when the next message may depart: now, or when it is worth while to ask again."""
        self._forget(now)
        counted = len(self._underway) + len(self._answered.counted) + len(self._counted_until)
        if counted + self._unusual < self._allowed(now):
            return now
        return min((now + _LOOK_SECONDS, *self._counted_until[:1], *self._next_answered()))

    def depart(self, *, now: float) -> int:
        """Notes that a message departs; returns the call by which its answer is noted."""
        self._next_call += 1
        self._underway.depart(self._next_call, now=now)
        self._trusted.learn(per_second=self.per_second)
        return self._next_call

    def answer(self, call: int, *, now: float, is_accepted: bool) -> None:
        """Notes that a call has come to its end; only an accepted one tells how quick answers are."""
        self._forget(now)
        departure, has_arrived = self._underway.answer(call)
        if has_arrived:
            self._trusted.answer(now=now)
        if departure is None or not is_accepted:
            heappush(self._counted_until, now + _SECOND)
            return
        self._quickest.note(now - departure, now=now)
        self._underway.overtake(call, now=now)
        if not has_arrived:
            self._answered.counted.append(now)

    def _allowed(self, now: float) -> int:
        kept = ceil(self.per_second * _KEPT_SHARE) + 1 if now < self._kept_until else 0
        return max(1, int(self.per_second) - kept - self._underway.late)

    @property
    def _unusual(self) -> int:
        """How many count no more that could as well have arrived just now."""
        return self._trusted.unusual(per_second=self.per_second)

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
        self._underway = Underway()
        self._answered = _Answered()
        self._trusted.let_go()
        self._counted_until.clear()

    def _forget(self, now: float) -> None:
        arrived = self._underway.arrive(now=now, per_second=self.per_second)
        self._answered.counted += arrived
        self._trusted.arrive(arrived)
        self._answered.divide(now=now, counts=self._counts_seconds)
        self._trusted.divide(now=now, counts=self._counts_seconds)
        while self._counted_until and self._counted_until[0] <= now:
            heappop(self._counted_until)
        given_up = self._underway.give_up(now=now)
        self._trusted.give_up(given_up)
        for _ in range(given_up):
            heappush(self._counted_until, now + _SECOND)
