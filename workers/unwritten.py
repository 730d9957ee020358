"""How many outcomes a process knows and has not written, over all runs: with too many it begins nothing new."""

from dataclasses import dataclass


@dataclass(slots=True)
class Unwritten:
    """Counts outcomes that no row tells yet; should the process die, so many messages fall into doubt."""

    most: int = 2000
    count: int = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be claimed; what is on its way already is taken all the same."""
        return self.count >= self.most
