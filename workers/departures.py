"""Lets one sender's messages leave, each at its moment: at its slot, and no sooner than its arrival fits the limit."""

import asyncio
from uuid import UUID

from core.domain.arrivals import Arrivals
from core.domain.outcomes import Accepted, NotSent
from core.domain.pacing import Gate
from workers.courier import Courier, Parcel
from workers.engine import Engine
from workers.lease import Lease
from workers.waiting import finish, pause

_LOOK_SECONDS = 0.02


class Departures:
    """Puts parcels on the wire, one after the other, while the lease holds; knows the calls that are there."""

    def __init__(self, *, engine: Engine, sender_id: UUID, courier: Courier, arrivals: Arrivals, lease: Lease) -> None:
        """Takes whose parcels leave, who carries them, what counts their arrivals, and their pump's lease."""
        self._engine = engine
        self._sender_id = sender_id
        self._courier = courier
        self._arrivals = arrivals
        self._lease = lease
        self._gate = Gate()
        self._on_wire: set[asyncio.Task[None]] = set()

    async def depart(self, parcel: Parcel, *, interval: float) -> None:
        """Waits for the parcel's moment and starts its call; one that must not leave any more is put back.

        `interval` is the seconds between two departures at the pace of now.
        """
        calls, lost = self._engine.calls, self._lease.lost
        if not await self._wait(parcel) or not await calls.take(self._sender_id, stopping=lost):
            self._courier.settle(parcel, NotSent(reason="the pump stops"))
            return
        # Nothing is waited for between the look at the lease and the departure: this process may be frozen in a wait.
        now = self._engine.clock.monotonic()
        if self._engine.safeguards.lease_check and not (self._lease.holds(now) and now < parcel.stale_time):
            calls.give_back(self._sender_id)
            self._courier.settle(parcel, NotSent(reason="its moment has passed"))
            return
        self._gate.pass_one(now=now, interval=interval)
        task = asyncio.create_task(self._call(parcel, self._arrivals.depart(now=now)))
        self._on_wire.add(task)
        task.add_done_callback(self._on_wire.discard)

    async def thin_out(self, *, seconds: float) -> None:
        """Waits until so little is on the wire that another process can begin to send, but not longer than told."""
        clock = self._engine.clock
        end = clock.monotonic() + seconds
        while self._on_wire and (now := clock.monotonic()) < end and not self._arrivals.may_be_left(now=now):
            await asyncio.wait(set(self._on_wire), timeout=_LOOK_SECONDS)

    async def drain(self) -> None:
        """Waits for the calls on the wire, once the process stops not longer than its grace."""
        seconds = self._engine.settings.stop_grace_seconds
        await finish(self._on_wire, stopping=self._engine.stopping, seconds=seconds)

    async def _wait(self, parcel: Parcel) -> bool:
        """Returns once the parcel may leave, or has waited too long; False when the lease is lost before."""
        clock, lost = self._engine.clock, self._lease.lost
        while not lost.is_set():
            now = clock.monotonic()
            slot = self._gate.opening(parcel.slot)
            if slot > now:
                await pause(lost, slot - now)
                continue
            opening = self._arrivals.opening(now=now)
            if opening <= now or now >= parcel.stale_time:
                return True
            await pause(lost, opening - now)
        return False

    async def _call(self, parcel: Parcel, call: int) -> None:
        is_accepted = False
        try:
            outcome = await self._courier.deliver(parcel)
            is_accepted = isinstance(outcome, Accepted)
        finally:
            self._engine.calls.give_back(self._sender_id)
            self._arrivals.answer(call, now=self._engine.clock.monotonic(), is_accepted=is_accepted)
        await self._courier.conclude(parcel, outcome)
