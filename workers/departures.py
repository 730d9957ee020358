"""Lets one sender's messages leave, each at its moment: at its slot, and no sooner than its arrival fits the limit."""

import asyncio
from uuid import UUID

from core.domain.arrivals import Arrivals
from core.domain.outcomes import Accepted
from core.domain.pacing import Gate
from workers.conclusions import Conclusions
from workers.courier import Courier
from workers.engine import Engine
from workers.lease import Lease
from workers.parcels import Parcel
from workers.waiting import finish, rest

_LOOK_SECONDS = 0.02


class Departures:
    """Puts parcels on the wire, one after the other, while the lease holds; knows the calls that are there."""

    def __init__(
        self,
        *,
        engine: Engine,
        sender_id: UUID,
        lease: Lease,
        arrivals: Arrivals,
        courier: Courier,
        conclusions: Conclusions,
    ) -> None:
        """Takes whose parcels leave, their pump's lease, what counts arrivals, who carries and who concludes."""
        self._engine = engine
        self._sender_id = sender_id
        self._lease = lease
        self._arrivals = arrivals
        self._courier = courier
        self._conclusions = conclusions
        self._gate = Gate()
        self._on_wire: set[asyncio.Task[None]] = set()

    async def depart(self, parcel: Parcel, *, interval: float) -> None:
        """Waits for the parcel's moment and starts its call; one that must not leave any more is put back.

        `interval` is the seconds between two departures at the parcel's pace.
        """
        lines, over = self._engine.lines, self._lease.over
        if not await self._wait_for_moment(parcel) or not await lines.take(self._sender_id, stopping=over):
            self._conclusions.put_back(parcel, "the pump stops")
            return
        # From here to the start of the call nothing is waited for: this process may be frozen in a wait.
        now = self._engine.clock.monotonic()
        if not self._may_leave(parcel, now=now):
            lines.give_back(self._sender_id)
            self._conclusions.put_back(parcel, "its moment has passed")
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
        """Waits for the calls on the wire, also once the process stops: each ends by itself within its timeout."""
        seconds = self._engine.settings.drain_seconds
        await finish(self._on_wire, stopping=self._engine.stopping, seconds=seconds)

    async def _wait_for_moment(self, parcel: Parcel) -> bool:
        """Waits until the parcel may leave by slot and limit, or is stale; False when the run is over before."""
        clock, over = self._engine.clock, self._lease.over
        while not over.is_set():
            now = clock.monotonic()
            slot = self._gate.opening(parcel.slot)
            if slot > now:
                await rest(over, slot - now)
                continue
            opening = self._arrivals.opening(now=now)
            if opening <= now or now >= parcel.stale_time:
                return True
            await rest(over, opening - now)
        return False

    def _may_leave(self, parcel: Parcel, *, now: float) -> bool:
        """Whether the waiting was not too long: for the lease, or for what the claim knew of campaign and contact."""
        if not self._engine.safeguards.lease_check:
            return True
        return self._lease.holds(now) and now < parcel.stale_time

    async def _call(self, parcel: Parcel, call: int) -> None:
        """Makes a call on a line that was taken for it, and gives that back; `call` names it to the arrivals."""
        is_accepted = False
        try:
            outcome = await self._courier.deliver(parcel)
            is_accepted = isinstance(outcome, Accepted)
        finally:
            self._engine.lines.give_back(self._sender_id)
            self._arrivals.answer(call, now=self._engine.clock.monotonic(), is_accepted=is_accepted)
        await self._conclusions.draw(parcel, outcome)
