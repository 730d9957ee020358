"""The first level: replies in the process, bounded by bytes, the least recently used going first."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from core.cache.keys import Entry

# What an entry costs beside its bytes: keys, numbers, bookkeeping; measured at some 600 bytes.
_OVERHEAD_BYTES = 600
_HOT = 3


@dataclass(slots=True, kw_only=True)
class Remembered:
    """Holds one reply, the generations it was read under, when it ends, and from when on it should be made anew.

    Times are the clock's monotonic seconds.
    """

    request: bytes
    reply: bytes
    numbers: Mapping[str, int]
    end_time: float
    refresh_time: float
    hits: int = 0

    def is_due(self, now: float) -> bool:
        """Returns whether somebody should make it anew before it ends: it is near its end, and asked for often."""
        return now >= self.refresh_time and self.hits >= _HOT


class Memory:
    """Remembers replies up to so many bytes."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[tuple[str, bytes], Remembered] = OrderedDict()  # the least recently used first
        self._size = 0

    @property
    def size(self) -> int:
        """The bytes in use."""
        return self._size

    def get(self, method: str, request: bytes) -> Remembered | None:
        """Returns what is remembered, whether it still holds or not."""
        key = (method, request)
        remembered = self._entries.get(key)
        if remembered is not None:
            self._entries.move_to_end(key)
        return remembered

    def put(self, entry: Entry, remembered: Remembered) -> None:
        """Remembers a reply in place of the one before, unless it alone would fill everything."""
        size = _size(remembered)
        if size > self._max_bytes:
            return
        self.drop(entry.method, entry.request)
        while self._size + size > self._max_bytes:
            self._size -= _size(self._entries.popitem(last=False)[1])
        self._entries[entry.method, entry.request] = remembered
        self._size += size

    def drop(self, method: str, request: bytes) -> None:
        """Forgets a reply."""
        dropped = self._entries.pop((method, request), None)
        if dropped is not None:
            self._size -= _size(dropped)


def _size(remembered: Remembered) -> int:
    return len(remembered.request) + len(remembered.reply) + _OVERHEAD_BYTES
