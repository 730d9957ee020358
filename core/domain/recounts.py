"""Counters against the rows they count: what differs, and by how much."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


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


def total(differences: Iterable[Difference]) -> int:
    """Adds up by how much counters are wrong, whichever way."""
    return sum(abs(difference.missing) for difference in differences)
