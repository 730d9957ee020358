"""The lines on which a worker calls WhatsApp, one a call, shared among its senders: whose calls hang slows no other."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

# A sender may hold so many times what is free. Alone it gets four fifths of all; of what it leaves, the next one gets
# four fifths, and so on: however long calls hang, whoever comes next finds a line. (Dynamic thresholds, as switches
# share their buffers.)
_TIMES_FREE = 4


class Lines:
    """Lends lines; who waits for one gets it before those who hold more."""

    def __init__(self, count: int) -> None:
        """Takes how many there are."""
        self.count = count
        self._free = count
        self._held: Counter[UUID] = Counter()
        self._waiting: list[tuple[UUID, asyncio.Future[None]]] = []

    @property
    def used(self) -> int:
        """How many are lent: calls that are open."""
        return self.count - self._free

    @property
    def waiting(self) -> int:
        """How many wait for one, one for each sender at most."""
        return len(self._waiting)

    async def take(self, sender_id: UUID, *, stopping: asyncio.Event) -> bool:
        """Takes a line for a call of a sender; False, and none is taken, as soon as `stopping` is set."""
        if stopping.is_set():
            return False
        if self._has_room(sender_id):
            self._lend(sender_id)
            return True
        return await self._wait(sender_id, stopping)

    def give_back(self, sender_id: UUID) -> None:
        """Returns a line; of those who wait for one, who holds the fewest gets it."""
        self._free += 1
        self._held[sender_id] -= 1
        if not self._held[sender_id]:
            del self._held[sender_id]
        for place in sorted(self._waiting, key=self._held_by):
            waiter, lent = place
            if not lent.done() and self._has_room(waiter):
                self._waiting.remove(place)
                self._lend(waiter)
                lent.set_result(None)

    async def _wait(self, sender_id: UUID, stopping: asyncio.Event) -> bool:
        lent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        place = (sender_id, lent)
        self._waiting.append(place)
        ended = asyncio.ensure_future(stopping.wait())
        waits: set[asyncio.Future[Any]] = {lent, ended}
        taken = False
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            taken = lent.done() and not stopping.is_set()
        finally:
            ended.cancel()
            if not taken:
                self._leave(place)
        return taken

    def _leave(self, place: tuple[UUID, asyncio.Future[None]]) -> None:
        if place[1].done():
            self.give_back(place[0])
        else:
            self._waiting.remove(place)

    def _has_room(self, sender_id: UUID) -> bool:
        return self._held[sender_id] < self._free * _TIMES_FREE

    def _held_by(self, place: tuple[UUID, asyncio.Future[None]]) -> int:
        return self._held[place[0]]

    def _lend(self, sender_id: UUID) -> None:
        self._free -= 1
        self._held[sender_id] += 1
