"""Simulator, chance: each number depends on the seed and on what it is for, not on the order of arrival."""

from __future__ import annotations

import hashlib
import math
import struct
from typing import Final

_COUNT: Final = 16
_FORMAT: Final = struct.Struct(f"<{_COUNT}I")
_SCALE: Final = 1 / 2**32


class Draws:
    """Sixteen numbers in [0, 1), each at a fixed place, for one subject."""

    __slots__ = ("_values", "digest")

    def __init__(self, *, seed: int, subject: str) -> None:
        self.digest = hashlib.blake2b(
            subject.encode(), digest_size=64, key=(seed % 2**64).to_bytes(8, "little")
        ).digest()
        self._values: tuple[int, ...] = _FORMAT.unpack(self.digest)

    def unit(self, place: int) -> float:
        """Returns a number in [0, 1)."""
        return self._values[place] * _SCALE

    def chance(self, place: int, rate: float) -> bool:
        """Returns True for a share `rate` of all subjects."""
        return self._values[place] * _SCALE < rate

    def between(self, place: int, span: tuple[float, float]) -> float:
        """Returns a number spread evenly over a span."""
        return span[0] + (span[1] - span[0]) * self._values[place] * _SCALE

    def log_between(self, place: int, span: tuple[float, float]) -> float:
        """Returns a number whose logarithm is spread evenly over a span: short waits are common, long ones rare."""
        low = max(span[0], 1e-6)
        high = max(span[1], low)
        return math.exp(self.between(place, (math.log(low), math.log(high))))

    def log_normal(self, place: int, *, median: float, p99: float) -> float:
        """Returns a log-normal number from its median and 99th percentile; 0 when the median is 0."""
        if median <= 0:
            return 0.0
        sigma = math.log(max(p99, median) / median) / 2.326
        radius = math.sqrt(-2 * math.log(1 - self.unit(place)))
        return median * math.exp(sigma * radius * math.cos(2 * math.pi * self.unit(place + 1)))
