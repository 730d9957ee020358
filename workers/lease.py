"""The right to pump one sender: one process at a time has it, and renews it while it sends."""

import asyncio
import logging
from uuid import UUID

from workers.engine import Engine
from workers.waiting import pause

_log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_RENEW_SECONDS = 3.0
_SLOT = 0


class Lease:
    """One run's lease on a sender; `lost` is set when the run must end: it was lost, or the process stops."""

    def __init__(self, *, engine: Engine, sender_id: UUID) -> None:
        """Takes nothing yet; see `take`."""
        self._engine = engine
        self._sender_id = sender_id
        # Each run has a name of its own: a second ring heard by the same process must not make a second pump.
        self._holder = f"{engine.holder}/{engine.luck():.12f}"
        self._until = float("-inf")
        self.lost = asyncio.Event()

    def holds(self, now: float) -> bool:
        """Whether nobody else can have it yet; a process that was frozen for longer finds out here."""
        if now >= self._until:
            self.lost.set()
        return not self.lost.is_set()

    async def take(self) -> bool:
        """Takes or renews the lease; False when another run has it."""
        # Counted from before the call: the database's ten seconds begin later, and so end later.
        until = self._engine.clock.monotonic() + LEASE_SECONDS
        async with self._engine.store.connection() as rooms:
            taken = await rooms.pumps.acquire_pump(
                sender_id=self._sender_id, slot=_SLOT, holder=self._holder, seconds=LEASE_SECONDS
            )
        if taken:
            self._until = until
        return taken

    async def keep(self) -> None:
        """Renews the lease until it is lost or the process stops, and says so."""
        while not await pause(self._engine.stopping, _RENEW_SECONDS):
            if not await self._renew():
                break
        self.lost.set()

    async def release(self) -> None:
        """Lets go, so that the next run need not wait for the end."""
        try:
            async with self._engine.store.connection() as rooms:
                await rooms.pumps.release_pump(sender_id=self._sender_id, slot=_SLOT, holder=self._holder)
        except Exception:
            _log.exception("the pump's lease could not be released; it will end by itself")

    async def _renew(self) -> bool:
        try:
            return await self.take()
        except Exception:
            # The database is away: what was taken holds until its end.
            _log.exception("the pump's lease could not be renewed")
            return self.holds(self._engine.clock.monotonic())
