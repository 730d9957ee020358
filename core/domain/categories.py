"""The category: the user's label on contacts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """Is one label; ``contact_count`` is the exact number of contacts in it."""

    id: UUID
    display_name: str
    description: str
    contact_count: int
    create_time: datetime
    update_time: datetime


def tidy_name(text: str) -> str:
    """Returns a display name without doubled or outer spaces; may be empty."""
    return " ".join(text.split())
