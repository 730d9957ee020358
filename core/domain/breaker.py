"""When a campaign has failed often enough, with errors that come from the campaign itself, that it must stop. Pure."""

from collections import deque
from dataclasses import dataclass, field

IN_A_ROW = 20
WINDOW = 200
SHARE = 0.3


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Counts the last answers of one campaign."""

    row: int = 0
    _window: "deque[bool]" = field(default_factory=lambda: deque(maxlen=WINDOW))

    def record(self, *, systematic: bool) -> bool:
        """Notes one answer; True when the campaign must stop."""
        self.row = self.row + 1 if systematic else 0
        self._window.append(systematic)
        crowded = len(self._window) == WINDOW and sum(self._window) > WINDOW * SHARE
        return systematic and (self.row >= IN_A_ROW or crowded)
