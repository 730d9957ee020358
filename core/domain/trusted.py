"""The messages that count no more only because later ones have their answers, and how many of them are usual. Pure.

By their own answers they would count longer. Where answers take long and vary, a sixth of the pace is in that at any
time, and without it could not be used. Where a part of the connections stands still while the others go on, it is ever
more, and all of them may arrive at once. So what is beyond the usual is not believed, nor the first few of it: on a
machine at its limit now and then a few are late only because the server took later ones first.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

# Of the pace, so much is never trusted, however usual it was in the last seconds.
_DOUBTED_SHARE = 0.01
_USUAL_SECONDS = 5.0


@dataclass(slots=True)
class Trusted:
    """Counts one number's messages that are trusted to have arrived; times as in `Arrivals`.

    `_arrivals`: from when on messages that still count were taken for arrived; `_answers`: when the own answers came
    of messages that would still count by them. Both the oldest first.
    """

    _arrivals: deque[float] = field(default_factory=deque)
    _answers: deque[float] = field(default_factory=deque)
    _count: int = 0
    _usual: float = 0.0

    def arrive(self, moments: Iterable[float]) -> None:
        """Takes messages for arrived from these moments on, the oldest first."""
        self._arrivals.extend(moments)

    def answer(self, *, now: float) -> None:
        """Notes that one that was taken for arrived has its own answer."""
        self._answers.append(now)

    def give_up(self, count: int) -> None:
        """Notes that some never had an answer and are counted otherwise from now on."""
        self._count -= count

    def divide(self, *, now: float, counts: float) -> None:
        """Begins, and ceases, to trust messages `counts` seconds after they were taken for arrived, and had answers."""
        while self._arrivals and self._arrivals[0] + counts <= now:
            self._arrivals.popleft()
            self._count += 1
        while self._answers and self._answers[0] + counts <= now:
            self._answers.popleft()
            self._count -= 1

    def learn(self, *, per_second: float) -> None:
        """Takes a message's departure as a look at what is usual."""
        self._usual += (self._count - self._usual) / (per_second * _USUAL_SECONDS)

    def unusual(self, *, per_second: float) -> int:
        """Returns how many are too many to be trusted."""
        return max(0, self._count - self._most(per_second))

    def silent(self, *, per_second: float) -> int:
        """Returns how many will be too many, should none of those taken for arrived have its answer soon."""
        return max(0, self._count + len(self._arrivals) - len(self._answers) - self._most(per_second))

    def let_go(self) -> None:
        """Forgets the messages; what is usual stays known."""
        self._arrivals.clear()
        self._answers.clear()
        self._count = 0

    def _most(self, per_second: float) -> int:
        return max(0, int(self._usual - per_second * _DOUBTED_SHARE))
