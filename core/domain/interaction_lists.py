"""What may be asked of a list of interactions."""

from dataclasses import dataclass
from uuid import UUID

from core.domain.interactions import InteractionKind
from core.domain.time_ranges import ANY_TIME, TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    """Selects interactions: every part that is set must match; the time is the one by which the list is ordered."""

    kind: InteractionKind | None = None
    contact_id: UUID | None = None
    time: TimeRange = ANY_TIME
