"""What the rows of a page repeat, written once: campaigns, senders, templates, moments of what was made at once."""

from collections.abc import Callable
from typing import Generic, TypeVar, overload

V = TypeVar("V")
W = TypeVar("W")


class Repeated(Generic[V, W]):
    """Writes a value unless it is the last one again: to see that takes a fifth of the time. None stays none."""

    __slots__ = ("_last", "_write", "_written")

    def __init__(self, write: Callable[[V], W]) -> None:
        self._write = write
        self._last: V | None = None
        self._written: W | None = None

    @overload
    def write(self, value: V) -> W: ...
    @overload
    def write(self, value: V | None) -> W | None: ...
    def write(self, value: V | None) -> W | None:
        """Writes a value, which others must not change: the next row may get the same."""
        if value is None:
            return None
        if value != self._last:
            self._last, self._written = value, self._write(value)
        return self._written
