"""Who came before in the same import, in eight to sixteen bytes a person."""

from array import array
from typing import Final

from core.domain.imports import ImportedRow

_FIRST_SIZE: Final = 1 << 12
_MIX: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
_HASHED: Final = 1 << 63


class Seen:
    """Remembers the persons of an import: a hash table of bare numbers, at most half full.

    A phone number is its own key, so it is never mistaken; WhatsApp's ids are kept as 63 bits of their hash.
    """

    def __init__(self) -> None:
        self._slots = array("Q", [0]) * _FIRST_SIZE
        self._count = 0

    def mark(self, row: ImportedRow) -> ImportedRow:
        """Returns the row, marked as a repeat when its person came before."""
        return row if self.add(_key(row)) else row.repeated()

    def add(self, key: int) -> bool:
        """Remembers a number above zero; tells whether it is new."""
        if self._count * 2 >= len(self._slots):
            self._grow()
        slots, slot = self._slots, self._find(key)
        if slots[slot] == key:
            return False
        slots[slot] = key
        self._count += 1
        return True

    def _find(self, key: int) -> int:
        slots, last = self._slots, len(self._slots) - 1
        slot = ((key * _MIX & _MASK) >> 32) & last
        while slots[slot] and slots[slot] != key:
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", [0]) * (len(old) * 2)
        for key in old:
            if key:
                self._slots[self._find(key)] = key


def _key(row: ImportedRow) -> int:
    if row.phone_number is not None:
        return int(row.phone_number[1:])
    return (hash(row.whatsapp_user_id) & (_HASHED - 1)) | _HASHED
