"""Counters against the rows they count: what differs, and by how much."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Says that so many were counted where the rows have another number."""

    counted: int
    found: int

    @property
    def missing(self) -> int:
        """What has to be added to be right again; below zero what has to be taken off."""
        return self.found - self.counted


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDifference(Difference):
    """Is about messages in one state, with one error, skipped for one reason."""

    state: str
    error_code: int
    reason: str

    def __str__(self) -> str:
        """Names it for people."""
        details = " ".join(str(detail) for detail in (self.state, self.error_code or "", self.reason) if detail)
        return f"{details}: counted {self.counted}, there are {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneDifference(Difference):
    """Is about messages that reached one milestone in one hour."""

    milestone: str
    hour: datetime

    def __str__(self) -> str:
        """Names it for people."""
        when = f"{self.milestone} in the hour from {self.hour:%Y-%m-%d %H:%M}"
        return f"{when}: counted {self.counted}, there are {self.found}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDifference(Difference):
    """Is about messages that were answered."""

    def __str__(self) -> str:
        """Names it for people."""
        return f"answered: counted {self.counted}, there are {self.found}"


@dataclass(slots=True, kw_only=True)
class Tally:
    """Adds up messages: by state, error code and reason; by milestone and hour; and those that were answered."""

    states: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    milestones: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    answered: int = 0


def differences(counted: Tally, found: Tally) -> list[Difference]:
    """Returns where two tallies differ: states in their order, then hours in theirs, then the answered."""
    states = [
        StateDifference(
            state=key[0], error_code=key[1], reason=key[2], counted=counted.states[key], found=found.states[key]
        )
        for key in sorted(_unequal(counted.states, found.states))
    ]
    milestones = [
        MilestoneDifference(milestone=key[0], hour=key[1], counted=counted.milestones[key], found=found.milestones[key])
        for key in sorted(_unequal(counted.milestones, found.milestones), key=lambda key: (key[1], key[0]))
    ]
    answered = [ReplyDifference(counted=counted.answered, found=found.answered)]
    return [*states, *milestones, *(each for each in answered if each.missing)]


def _unequal(one: Counter[T], other: Counter[T]) -> list[T]:
    return [key for key in {*one, *other} if one[key] != other[key]]


def total(differences: Iterable[Difference]) -> int:
    """Adds up by how much counters are wrong, whichever way."""
    return sum(abs(difference.missing) for difference in differences)
