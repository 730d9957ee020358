"""Categories in the words of the contract, both ways."""

from typing import Final

from chappe.v1 import categories_pb2

from core.domain.categories import Category, tidy_name
from core.domain.errors import InvalidArgument, Violation
from server.wire import names, times

SETTABLE: Final = frozenset({"display_name", "description"})


def category(written: Category) -> categories_pb2.Category:
    """Writes a category."""
    return categories_pb2.Category(
        name=names.category_name(written.id),
        display_name=written.display_name,
        description=written.description,
        contact_count=written.contact_count,
        create_time=times.timestamp(written.create_time),
        update_time=times.timestamp(written.update_time),
    )


def read_display_name(text: str) -> str:
    """Reads a display name without doubled or outer spaces; refuses an empty one with ``DISPLAY_NAME_MISSING``."""
    tidied = tidy_name(text)
    if tidied:
        return tidied
    description = "A category needs a display_name."
    violation = Violation(field="category.display_name", description=description, reason="DISPLAY_NAME_MISSING")
    raise InvalidArgument("DISPLAY_NAME_MISSING", description, violations=[violation])
