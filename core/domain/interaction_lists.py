"""What may be asked of a list of interactions."""

from dataclasses import dataclass
from uuid import UUID

from core.domain.interactions import InteractionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionFilter:
    """Selects interactions: every part that is set must match."""

    kind: InteractionKind | None = None
    contact_id: UUID | None = None
