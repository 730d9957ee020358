"""What a run says: a line for each comparison, with the figure that decides and the goal it must meet."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

ROUNDS: Final = 5
HEAD: Final = "| what | figure | goal | | measured |\n| --- | --- | --- | --- | --- |"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Is one thing measured; without a goal it stands there for reading."""

    name: str
    figure: float
    text: str
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool:
        """Tells whether the goal is met."""
        return self._meets(self.figure)

    def _meets(self, figure: float) -> bool:
        return (self.least is None or figure >= self.least) and (self.most is None or figure <= self.most)

    @property
    def goal(self) -> str:
        """Writes the goal."""
        return f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}" if self.most is not None else ""

    def line(self) -> str:
        """Writes a line of a table, under ``HEAD``."""
        missed = "" if self.is_met else "MISSED"
        digits = 2 if self._meets(round(self.figure, 2)) is self.is_met else 3  # what is missed by a hair shows it
        return f"| {self.name} | {self.figure:.{digits}f} | {self.goal} | {missed} | {self.text} |"


def ratio_of(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    least: float | None,
    turns: int = 1,
    note: str = "",
) -> Row:
    """Measures both in turns and compares rates; what decides is the middle of the rounds' ratios.

    The machine is faster and slower for seconds at a time: of several short turns in a round either has its share. A
    note says why there is no goal.
    """
    pairs = [_round(ours, theirs, turns) for _ in range(ROUNDS)]
    figure = statistics.median(mine / other for mine, other in pairs)
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    text = f"{mine:,.0f}/s beside {other:,.0f}/s" + f"; {note}" * bool(note)
    return Row(name=name, figure=figure, text=text, least=least)


def _round(ours: Callable[[], float], theirs: Callable[[], float], turns: int) -> tuple[float, float]:
    """Returns both rates over all turns, each of which makes as many calls as the others."""
    rates = [(ours(), theirs()) for _ in range(turns)]
    mine, other = (statistics.harmonic_mean(side) for side in zip(*rates, strict=True))
    return mine, other
