"""When a campaign has failed often enough, with errors that come from the campaign itself, that it must stop. Pure.

Each process counts what passes through it: a number's pump moves among workers, and any of them applies receipts. So
with n workers a campaign stops after 20 failures in a row at best, and after about 20 n at worst. To share the counts
would cost each message a question, where a broken campaign fails a few more.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

IN_A_ROW: Final = 20
WINDOW: Final = 200
SHARE: Final = 0.3
# Of so many campaigns a process remembers how they fared; one it has forgotten is counted anew.
_REMEMBERED: Final = 1000


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Counts the last outcomes of one campaign."""

    row: int = 0
    _window: "deque[bool]" = field(default_factory=lambda: deque(maxlen=WINDOW))

    def record(self, *, systematic: bool) -> bool:
        """Notes one outcome; True when the campaign must stop, and then it counts anew for who lets it run on."""
        self.row = self.row + 1 if systematic else 0
        self._window.append(systematic)
        crowded = len(self._window) == WINDOW and sum(self._window) > WINDOW * SHARE
        trips = systematic and (self.row >= IN_A_ROW or crowded)
        if trips:
            self.row = 0
            self._window.clear()
        return trips


class Breakers:
    """Keeps a breaker per campaign, for as long as the process lives: a pump's run is far shorter than a campaign."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, Breaker] = OrderedDict()

    def of(self, campaign_id: UUID) -> Breaker:
        """Returns the breaker of a campaign; who was asked for least lately is forgotten."""
        breaker = self._kept.setdefault(campaign_id, Breaker())
        self._kept.move_to_end(campaign_id)
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return breaker
