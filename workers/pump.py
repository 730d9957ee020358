"""Sends one sender's messages for some seconds.

The walk of a message through a worker:
1. `pump_sender` takes the sender's lease (workers/lease.py): one pump a sender, in the whole deployment.
2. `_claim` takes batch after batch of due messages (workers/claimer.py): each gets a slot, the moment at which it may
   leave by the sender's pace. A claimed message on its way out is a parcel.
3. `_dispatch` lets each parcel leave at its slot, or later if too much could arrive at WhatsApp in the same second
   (workers/departures.py, core/domain/arrivals.py): while one batch leaves, the next is claimed.
4. The courier (workers/courier.py) makes the call and says what its answer makes of the message.
5. The settler (workers/settler.py) writes outcomes, many in one statement; the aftermath (workers/aftermath.py) slows
   the sender or pauses campaigns.

A run ends after some seconds, when nothing is due, or when its lease is lost or the process stops. If more is due it
rings for the next run, and should that ring be lost, the keeper finds the sender. The next one may begin while the last
calls of this one are on the wire: whatever a run began it also settles, in the drains (workers/drains.py).
"""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from core.domain.arrivals import Arrivals, Left
from core.pace import Lane
from core.repositories.pumps import PumpedSender
from core.whatsapp.credentials import access_token
from workers.aftermath import Aftermath
from workers.claimer import Claimer
from workers.courier import Courier, Parcel
from workers.departures import Departures
from workers.engine import Engine
from workers.lease import Lease
from workers.settler import Settler
from workers.waiting import pause

_log = logging.getLogger(__name__)

RUN_SECONDS = 10.0
# A run waits for so long at most until little is on the wire; what is there then the next one counts until its end.
_THIN_SECONDS = 3.0
_IDLE_SECONDS = 0.5
_POLL_SECONDS = 0.1


async def pump_sender(engine: Engine, sender_id: UUID) -> None:
    """Sends what is due for a sender, unless another pump does; ends after some seconds and rings for the next.

    What is on the wire then is left to the engine's drains.
    """
    async with engine.store.connection() as rooms:
        sender = await rooms.pumps.get_pumped_sender(sender_id)
    if sender is None:
        return
    lease = Lease(engine=engine, sender_id=sender_id)
    left = await lease.take()
    if left is not None:
        await Pump(engine=engine, sender=sender, lease=lease).run(left)


class Pump:
    """One run of one sender's pump, begun with the lease in hand."""

    def __init__(self, *, engine: Engine, sender: PumpedSender, lease: Lease) -> None:
        """Puts the parts of a run together; nothing moves before `run`."""
        lane = Lane.of_sender(sender.id, sender.messages_per_second)
        self._engine = engine
        self._sender = sender
        self._lease = lease
        # It outlives the run, and so counts what earlier ones left on the wire; the pace may be another one now.
        self._arrivals = engine.arrivals.setdefault(sender.id, Arrivals(sender.messages_per_second))
        self._arrivals.per_second = sender.messages_per_second
        self._turn = 0
        self._batches: asyncio.Queue[Sequence[Parcel]] = asyncio.Queue(maxsize=1)
        self._settler = Settler(engine)
        self._claimer = Claimer(engine=engine, sender_id=sender.id, lane=lane, settler=self._settler)
        courier = Courier(
            engine=engine,
            sender=sender,
            token=access_token(engine.settings, sender.credential_reference),
            settler=self._settler,
            aftermath=Aftermath(engine=engine, sender_id=sender.id, lane=lane),
            lease=lease,
        )
        self._departures = Departures(
            engine=engine, sender_id=sender.id, courier=courier, arrivals=self._arrivals, lease=lease
        )

    async def run(self, left: Left) -> None:
        """Sends until the time is up, nothing is due, or the process stops; `left` is what counts from before."""
        self._turn = self._arrivals.take_over(left, now=self._engine.clock.monotonic())
        keeping = asyncio.create_task(self._lease.keep())
        dispatch = asyncio.create_task(self._dispatch())
        more = False
        try:
            more = await self._claim()
        finally:
            # Also when whoever waits here is cancelled again: a lease that nobody ends would be renewed for ever.
            await self._engine.drains.see_through(self._end(keeping, dispatch, more=more))

    async def _end(self, keeping: asyncio.Task[None], dispatch: asyncio.Task[None], *, more: bool) -> None:
        await self._batches.join()
        dispatch.cancel()
        # Whatever was begun is settled; meanwhile the next run may send already.
        self._engine.drains.add(self._drain())
        await self._departures.thin_out(seconds=_THIN_SECONDS)
        keeping.cancel()
        # A renewal on its way must not come after the release: nobody could have the lease until its end.
        await asyncio.wait({keeping})
        await self._release()
        if more:
            await self._engine.wakeups.pump_sender(self._sender.id)

    async def _release(self) -> None:
        """Tells the next run what is left; if the answer is lost or late it counts twice here, never too little."""
        now, longest = self._engine.clock.monotonic(), self._engine.settings.whatsapp_timeout_seconds
        word = await self._lease.release(self._arrivals.leave(now=now, longest=longest))
        self._arrivals.say(word, turn=self._turn)

    async def _drain(self) -> None:
        # In this order: no call adds an outcome any more when the settler is closed.
        await self._departures.drain()
        await self._settler.close()

    async def _claim(self) -> bool:
        """Puts batch after batch on the way; True when it ended with work still to do."""
        end = self._engine.clock.monotonic() + RUN_SECONDS
        idle_since: float | None = None
        while not self._lease.lost.is_set():
            now = self._engine.clock.monotonic()
            if now >= end:
                return True
            if self._engine.unwritten.is_full:
                # That nothing may be begun does not say that nothing is due: it goes on once outcomes are written.
                await pause(self._lease.lost, _POLL_SECONDS)
                continue
            batch = await self._claimer.next_batch()
            if batch:
                idle_since = None
                await self._batches.put(batch)
                continue
            idle_since = idle_since or now
            if now - idle_since > _IDLE_SECONDS and not self._claimer.waiting:
                return False
            await pause(self._lease.lost, self._claimer.waiting or _POLL_SECONDS)
        return False

    async def _dispatch(self) -> None:
        while True:
            batch = await self._batches.get()
            try:
                for parcel in batch:
                    await self._departures.depart(parcel, interval=self._claimer.interval)
            except Exception:
                # The rest of the batch runs into its lease's end; the next batch must not wait for ever.
                _log.exception("a batch could not be sent whole")
            finally:
                self._batches.task_done()
