"""Times that lists are asked for, also as ranges of ids: an id (UUIDv7) begins with the moment it was made."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

OLDEST: Final = UUID(int=0)
NEWEST: Final = UUID(int=2**128 - 1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_BITS_AFTER_TIME: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Is the time from start on and before end; without the one or the other it is open there."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tells whether any moment is in it."""
        return self.start is None and self.end is None

    @property
    def first_id(self) -> UUID:
        """Returns what no id made in the range, to the millisecond, is below."""
        return OLDEST if self.start is None else first_id(self.start)

    @property
    def end_id(self) -> UUID:
        """Returns what every id made in the range, to the millisecond, is below."""
        return NEWEST if self.end is None else first_id(self.end)


def first_id(moment: datetime) -> UUID:
    """Returns the least of all ids made in the moment's millisecond; a moment before 1970 counts as its first."""
    return UUID(int=max(0, (moment - _EPOCH) // _MILLISECOND) << _BITS_AFTER_TIME)


ANY_TIME: Final = TimeRange()
