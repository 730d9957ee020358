"""Which work of a process goes first: who says stop must not share the processor with a backlog of receipts."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# However much of the first comes, the rest goes on between.
_PATIENCE_SECONDS = 1.0


class Precedence:
    """Has the rest wait, at a place of its choice, while something goes first."""

    def __init__(self) -> None:
        self._first_count = 0
        self._free = asyncio.Event()
        self._free.set()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Goes first until the end of the block."""
        self._first_count += 1
        self._free.clear()
        try:
            yield
        finally:
            self._first_count -= 1
            if self._first_count == 0:
                self._free.set()

    async def give(self) -> None:
        """Waits while something goes first, but no longer than a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._free.wait()
