"""Simulator, outcomes: what becomes of a message, by the last four digits of its number or because a test said so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, Literal

from pydantic import ConfigDict, Field

from simulator.http import ANSWER, RESET, SILENCE
from simulator.shapes import Code, Count

Status = Literal["sent", "delivered", "read", "played", "failed", "deleted", "warning"]
Effect = Literal["opted_out", "template_paused", "number_flagged", "account_restricted"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fate. `refuse` is synchronous, `times` limits that; `fail` is a failed status, `silent` is none."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    refuse: Code = 0
    http: Literal[0] | Annotated[int, Field(ge=400, le=599)] = 0
    times: Count = 0
    fail: Code = 0
    after_sent: bool = False
    statuses: tuple[Status, ...] = ()
    held: Literal["", "release", "drop"] = ""
    accepted: bool = True
    ending: Literal["answer", "silence", "close", "reset"] = ANSWER
    effects: tuple[Effect, ...] = ()
    repeat: bool = False
    silent: bool = False

    def __post_init__(self) -> None:
        if not self.accepted and self.ending == ANSWER:
            raise ValueError("what is not accepted ends in close, reset or silence")

    def after_refusals(self) -> Outcome | None:
        """Returns what is left of the fate once its refusals are spent; None where that is nothing."""
        rest = replace(self, refuse=0, http=0, times=0, effects=())
        return None if rest == Outcome() else rest


HAPPY: Final = Outcome(statuses=("sent", "delivered", "read"))

SUFFIXES: Final[dict[str, Outcome]] = {
    **{f"{n:04d}": HAPPY for n in range(100)},
    "9100": Outcome(refuse=100),
    "9109": Outcome(refuse=131009),
    "9130": Outcome(refuse=131030),
    "9132": Outcome(refuse=132000),
    "9156": Outcome(refuse=131056, times=3),
    "9129": Outcome(refuse=130429, times=1),
    "9116": Outcome(refuse=131016, times=2),
    "9101": Outcome(refuse=131000, http=500, times=2),
    "9102": Outcome(refuse=2, http=503),
    "9190": Outcome(refuse=190, http=401),
    "9131": Outcome(refuse=131031, http=403, effects=("account_restricted",)),
    "9142": Outcome(fail=131042),
    "9148": Outcome(fail=131048, effects=("number_flagged",)),
    "9126": Outcome(fail=131026),
    "9147": Outcome(fail=131047),
    "9149": Outcome(fail=131049, after_sent=True),
    "9150": Outcome(fail=131050, effects=("opted_out",)),
    "9153": Outcome(fail=131053),
    "9172": Outcome(fail=130472),
    "9115": Outcome(held="release"),
    "9135": Outcome(held="drop"),
    "9198": Outcome(ending=SILENCE),
    "9199": Outcome(accepted=False, ending=RESET),
    "9188": Outcome(statuses=("sent", "delivered", "failed"), fail=131026),
    "9187": Outcome(statuses=("read", "delivered", "sent")),
    "9186": Outcome(statuses=("sent", "delivered", "read"), repeat=True),
    "9185": Outcome(statuses=("sent",)),
}


class Outcomes:
    """The fates by person: what was set by hand first, then the suffix table."""

    def __init__(self) -> None:
        self.by_recipient: dict[str, Outcome] = {}
        self._tries: dict[tuple[str, str], int] = {}

    def of(self, person: str, *, suffixes: bool) -> Outcome | None:
        """Returns the fate of a person, None for an ordinary one."""
        if self.by_recipient and (chosen := self.by_recipient.get(person)):
            return chosen
        return SUFFIXES.get(person[-4:]) if suffixes else None

    def refuses(self, outcome: Outcome, number_id: str, person: str) -> bool:
        """Counts one try to meet a fate that refuses, and says whether this one is still refused."""
        if outcome.times == 0:
            return True
        key = (number_id, person)
        tries = self._tries.get(key, 0) + 1
        self._tries[key] = tries
        return tries <= outcome.times

    def clear(self) -> None:
        """Forgets what was set by hand and all counted tries."""
        self.by_recipient.clear()
        self._tries.clear()
