"""The right to pump one sender: one process at a time has it, and renews it while it sends."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from core.domain.arrivals import Left
from core.domain.errors import Unavailable
from workers.engine import Engine
from workers.waiting import rest

_log = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
_RENEW_SECONDS = 3.0
# So long before its end nothing leaves any more: who has the lease next finds that all has arrived.
_QUIET_SECONDS = 1.5
# Whoever cannot let go keeps the number from being sent for until the lease ends: it is tried again for a while.
_RELEASE_SECONDS = 5.0
_RETRY_SECONDS = 0.5
# One pump a sender is enough; the rows have room for more. (Nothing to do with the slots of the pace.)
_SLOT = 0


class _End(NamedTuple):
    """When a lease ends, by both clocks: of a pause of the whole virtual machine only the one on the wall may tell."""

    seconds: float
    moment: datetime


class Lease:
    """One run's lease on a sender: taken, renewed while the run sends, and released at its end.

    `over` is set once the run must end: nobody renews the lease any more, since it is lost or the process stops. It
    wakes up who waits; whether a message may leave `holds` alone says.
    """

    def __init__(self, *, engine: Engine, sender_id: UUID) -> None:
        """Takes nothing yet; see `take`."""
        self._engine = engine
        self._sender_id = sender_id
        # Each run has a name of its own: a second ring heard by the same process must not make a second pump.
        self._holder = f"{engine.holder}/{engine.luck():.12f}"
        self._until = _End(float("-inf"), datetime.min.replace(tzinfo=UTC))
        self._renewing: asyncio.Task[None] | None = None
        self.over = asyncio.Event()

    def holds(self, now: float) -> bool:
        """Whether nobody else can have it yet or soon; asked before each departure: a process may have been frozen.

        A clock on the wall that is set forward ends it early, until it is renewed; set back, it changes nothing.
        """
        end = self._until
        return now < end.seconds and self._engine.clock.now() < end.moment and not self.over.is_set()

    async def take(self) -> Left | None:
        """Takes the lease and returns what others left behind; None when another run has it."""
        until = self._end_from_now()
        async with self._engine.store.connection() as rooms:
            left = await rooms.pumps.acquire_pump(
                sender_id=self._sender_id, slot=_SLOT, holder=self._holder, seconds=LEASE_SECONDS
            )
        if left is not None:
            self._until = until
        return left

    def keep(self) -> None:
        """Begins to renew the lease, until it is lost, the process stops, or `stop_keeping`."""
        self._renewing = asyncio.create_task(self._renew_often())

    async def stop_keeping(self) -> None:
        """Ends the renewing; one that comes after the release renews nothing, since the lease is nobody's."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})

    async def release(self, left_seconds: Sequence[float]) -> datetime | None:
        """Lets go, so that the next run need not wait for the end, and tells it how long what left still counts.

        A connection that breaks meanwhile is not the end of it. Returns when that was; None if it could not be told.
        """
        try:
            async with asyncio.timeout(_RELEASE_SECONDS):
                while True:
                    try:
                        return await self._release(left_seconds)
                    except Unavailable:
                        await asyncio.sleep(_RETRY_SECONDS)  # noqa: TID251  # stopping must not cut this short
        except Exception:
            _log.exception("the pump's lease could not be released; it will end by itself")
            return None

    async def _release(self, left_seconds: Sequence[float]) -> datetime | None:
        async with self._engine.store.connection() as rooms:
            return await rooms.pumps.release_pump(
                sender_id=self._sender_id, slot=_SLOT, holder=self._holder, left_seconds=left_seconds
            )

    async def _renew_often(self) -> None:
        while not await rest(self._engine.stopping, _RENEW_SECONDS):
            if not await self._renew() and self._engine.safeguards.lease_check:
                break
        self.over.set()

    async def _renew(self) -> bool:
        """Whether the run may go on; not once another had the lease, since nobody here counts what that one sent."""
        try:
            return await self._ask_for_more()
        except Exception:
            # The database is away: what was taken holds until its end.
            _log.exception("the pump's lease could not be renewed")
            return self.holds(self._engine.clock.monotonic())

    async def _ask_for_more(self) -> bool:
        until = self._end_from_now()
        async with self._engine.store.connection() as rooms:
            is_renewed = await rooms.pumps.renew_pump(
                sender_id=self._sender_id, slot=_SLOT, holder=self._holder, seconds=LEASE_SECONDS
            )
        if is_renewed:
            self._until = until
        return is_renewed

    def _end_from_now(self) -> _End:
        """When a lease taken or renewed now is all but over, at the earliest: its row counts from a bit later."""
        clock, seconds = self._engine.clock, LEASE_SECONDS - _QUIET_SECONDS
        return _End(clock.monotonic() + seconds, clock.now() + timedelta(seconds=seconds))
