"""One number's calls without an answer, and what the answers of others tell about them. Pure.

Messages that leave later reach WhatsApp later: once one of them has its answer, those before it have arrived, however
long their own answers take. Only what overtakes on the way, on another connection, speaks against it, so a call keeps
a little grace; one that stays without an answer for a second more may not have arrived at all.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import NamedTuple

# Connections are not equally quick: a new one takes a while to be made. Two departures more, where few depart.
_GRACE_SECONDS = 0.025
_GRACE_DEPARTURES = 2
# What has no answer for so long after later ones had theirs is alone in that: its answer is lost, or it stands still on
# a way of its own. Until the one or the other is known it may still arrive.
_PATIENCE_SECONDS = 1.0


class _Overtaken(NamedTuple):
    """A call that still had no answer when a later one got its own, at `since`."""

    departure: float
    since: float


@dataclass(slots=True)
class Underway:
    """Follows calls from one stage to the next, each in the order in which it was reached; times as in `Arrivals`.

    - `_departed`: when they departed; nothing else is known of them.
    - `_overtaken`: their grace lasts; `_arrived`: it has ended, only their answers are awaited.
    - `_lost`: given up, by the whole second of their departure.
    """

    _departed: dict[int, float] = field(default_factory=dict)
    _overtaken: dict[int, _Overtaken] = field(default_factory=dict)
    _arrived: dict[int, _Overtaken] = field(default_factory=dict)
    _lost: dict[int, int] = field(default_factory=dict)
    _lost_by_second: Counter[int] = field(default_factory=Counter)

    def __len__(self) -> int:
        """Returns how many may still be on their way."""
        return len(self._departed) + len(self._overtaken)

    @property
    def late(self) -> int:
        """How many of those given up may still arrive within one second: as many as left within two, by whole seconds.

        What left together also arrives together.
        """
        seconds = self._lost_by_second
        return max((count + seconds[second + 1] for second, count in seconds.items()), default=0)

    @property
    def unheard(self) -> Collection[float]:
        """When those departed of which neither an own nor a later answer tells, the first first."""
        return self._departed.values()

    def depart(self, call: int, *, now: float) -> None:
        """Notes a call that departs after all before it."""
        self._departed[call] = now

    def graces(self, *, per_second: float) -> Iterator[float]:
        """Returns for each overtaken call when its grace ends."""
        return (one.since + _grace(per_second) for one in self._overtaken.values())

    def answer(self, call: int) -> tuple[float | None, bool]:
        """Takes a call away; returns its departure, None if it was given up, and whether it was taken for arrived."""
        if call in self._lost:
            self._find(call)
        if call in self._arrived:
            return self._arrived.pop(call).departure, True
        overtaken = self._overtaken.pop(call, None)
        return (overtaken.departure if overtaken is not None else self._departed.pop(call, None)), False

    def overtake(self, by: int, *, now: float) -> None:
        """Notes that the server has answered a call, which left after all the calls before it."""
        for call, departure in list(takewhile(lambda one: one[0] < by, self._departed.items())):
            del self._departed[call]
            self._overtaken[call] = _Overtaken(departure, now)

    def arrive(self, *, now: float, per_second: float) -> list[float]:
        """Returns when those arrived, at the latest, whose grace has ended since it was asked last, the first first."""
        grace = _grace(per_second)
        ended = list(takewhile(lambda one: one[1].since + grace <= now, self._overtaken.items()))
        for call, _ in ended:
            self._arrived[call] = self._overtaken.pop(call)
        return [one.since + grace for _, one in ended]

    def give_up(self, *, now: float) -> int:
        """Gives up calls whose answers are most likely lost; returns how many."""
        silent = list(takewhile(lambda one: one[1].since + _PATIENCE_SECONDS < now, self._arrived.items()))
        for call, one in silent:
            del self._arrived[call]
            self._lost[call] = int(one.departure)
            self._lost_by_second[int(one.departure)] += 1
        return len(silent)

    def _find(self, call: int) -> None:
        second = self._lost.pop(call)
        self._lost_by_second[second] -= 1
        if not self._lost_by_second[second]:
            del self._lost_by_second[second]


def _grace(per_second: float) -> float:
    return _GRACE_SECONDS + _GRACE_DEPARTURES / per_second
