"""Names of resources as ids: parsing what a caller or a queue hands us."""

from uuid import UUID

from core.domain.errors import InvalidArgument


def parse_id(text: str) -> UUID:
    """Reads a lower-case UUID; refuses anything else with ``ID_INVALID``."""
    try:
        value = UUID(text)
    except ValueError:
        value = None
    if value is None or str(value) != text:
        raise InvalidArgument("ID_INVALID", "An id is a lower-case UUID.")
    return value
