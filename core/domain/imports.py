"""The words of an import: what a row becomes, how it is refused, how an import is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Self
from uuid import UUID

from core.domain.contacts import MarketingConsent
from core.domain.errors import InvalidArgument

# A record longer than this is no contact, but a quotation mark that was never closed or a file that is no CSV.
LONGEST_RECORD: Final = 65_536
# The reason of a row whose phone number and WhatsApp id belong to two different contacts.
PERSON_CONFLICT: Final = "PERSON_CONFLICT"
# Columns of the file of rejects; they are ignored when the mended file comes back.
REJECT_COLUMNS: Final = frozenset({"reject_line", "reject_column", "reject_reason", "reject_description"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """Says how a file is to be read; empty texts mean: find out. ``consent`` is what the imported people agreed to."""

    default_region: str = ""
    delimiter: str = ""
    encoding: str = ""
    consent: MarketingConsent = MarketingConsent.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ImportedRow:
    """Is one good row, ready for the database; ``is_repeat`` says that the person came before in the same import."""

    line: int
    phone_number: str | None = None
    whatsapp_user_id: str | None = None
    display_name: str = ""
    language_code: str = ""
    time_zone: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    consent: MarketingConsent = MarketingConsent.UNKNOWN
    cells: tuple[str, ...] = ()
    is_repeat: bool = False

    def repeated(self) -> Self:
        """Returns the row marked as one whose person came before."""
        return replace(self, is_repeat=True)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Reject:
    """Is one bad row: where it begins, which column is at fault, why, and its cells as read."""

    line: int
    reason: str
    description: str
    column: str = ""
    cells: tuple[str, ...] = ()


class RowRefused(InvalidArgument):
    """Refuses one row of an import, never the import."""

    def __init__(self, reason: str, message: str, /, *, column: str = "") -> None:
        super().__init__(reason, message)
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts an import so far; every row is in exactly one of the last four, and ``byte_count`` is what was read."""

    row_count: int = 0
    created_count: int = 0
    updated_count: int = 0
    unchanged_count: int = 0
    rejected_count: int = 0
    byte_count: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            row_count=self.row_count + other.row_count,
            created_count=self.created_count + other.created_count,
            updated_count=self.updated_count + other.updated_count,
            unchanged_count=self.unchanged_count + other.unchanged_count,
            rejected_count=self.rejected_count + other.rejected_count,
            byte_count=self.byte_count + other.byte_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StagedRow:
    """Is a row on its way into the database: its position in the chunk, its person's hashes, its categories."""

    position: int
    row: ImportedRow
    person_hashes: tuple[bytes, ...]
    category_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenContacts:
    """Says which contacts a statement created and which it changed."""

    created: frozenset[UUID] = frozenset()
    updated: frozenset[UUID] = frozenset()

    def __or__(self, other: "WrittenContacts") -> "WrittenContacts":
        created = self.created | other.created
        return WrittenContacts(created=created, updated=(self.updated | other.updated) - created)
