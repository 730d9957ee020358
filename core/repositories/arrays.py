"""Arrays within arrays: the driver cannot send several of different lengths as one argument, so each goes as text."""

from collections.abc import Iterable


def bigints(numbers: Iterable[int]) -> str:
    """Writes whole numbers as a PostgreSQL array."""
    return "{" + ",".join(map(str, numbers)) + "}"
