"""Sends one sender's messages for some seconds.

The walk of a message through a worker:
1. `pump_sender` takes the sender's lease (workers/lease.py): one pump a sender, in the whole deployment.
2. `_claim` takes batch after batch of due messages (workers/claimer.py), shared out among the sender's campaigns
   (workers/rounds.py): each gets a slot, the moment at which it may leave by the sender's pace. A claimed message on
   its way out is a parcel (workers/parcels.py).
3. `_dispatch` lets each parcel leave at its slot, or later if too much could arrive at WhatsApp in the same second
   (workers/departures.py, core/domain/arrivals.py), on a line of its own (workers/lines.py): while one batch leaves,
   the next is claimed. What has waited too long is put back instead.
4. The courier (workers/courier.py) makes the call, unless the lease has ended, and returns its outcome.
5. The conclusions (workers/conclusions.py) decide what the outcome makes of the message, its settlement, and begin the
   aftermath (workers/aftermath.py): a sender slowed down, a campaign paused.
6. The settler (workers/settler.py) writes settlements, many in one statement: only then is a message settled.

A run ends after some seconds, when nothing is due, or when its lease is over: lost, or the process stops. `_end` has
the steps in their order. The next run may begin while the last calls of this one are on the wire: whatever a run began
it also settles, in the drains (workers/drains.py).
"""

import asyncio
import logging
from uuid import UUID

from core.domain.arrivals import Arrivals, Left
from core.pace import Lane
from core.repositories.pumps import PumpedSender
from core.whatsapp.credentials import access_token
from workers.aftermath import Aftermath
from workers.claimer import Claimer
from workers.conclusions import Conclusions
from workers.courier import Courier
from workers.departures import Departures
from workers.engine import Engine
from workers.lease import Lease
from workers.parcels import Batch, NotYet
from workers.settler import Settler
from workers.waiting import rest

_log = logging.getLogger(__name__)

RUN_SECONDS = 10.0
# A run waits for so long at most until little is on the wire; what is there then the next one counts until its end.
_THIN_SECONDS = 3.0
# A run ends when nothing was due for so long; until then it looks again and again.
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
        self._batches: asyncio.Queue[Batch] = asyncio.Queue(maxsize=1)
        self._settler = Settler(engine)
        self._claimer = Claimer(engine=engine, sender_id=sender.id, lane=lane, settler=self._settler)
        self._departures = Departures(
            engine=engine,
            sender_id=sender.id,
            lease=lease,
            arrivals=self._arrivals,
            courier=Courier(
                engine=engine,
                sender=sender,
                token=access_token(engine.settings, sender.credential_reference),
                lease=lease,
            ),
            conclusions=Conclusions(
                engine=engine,
                sender_id=sender.id,
                settler=self._settler,
                aftermath=Aftermath(engine=engine, sender_id=sender.id, lane=lane),
            ),
        )

    async def run(self, left: Left) -> None:
        """Sends until the time is up, nothing is due, or the lease is over; `left` is what counts from before."""
        turn = self._arrivals.take_over(left, now=self._engine.clock.monotonic())
        self._lease.keep()
        dispatching = asyncio.create_task(self._dispatch())
        is_time_up = False
        try:
            is_time_up = await self._claim()
        finally:
            # Also when whoever waits here is cancelled again: a lease that nobody ends would be renewed for ever.
            await self._engine.drains.see_through(self._end(dispatching, turn=turn, is_time_up=is_time_up))

    async def _end(self, dispatching: asyncio.Task[None], *, turn: int, is_time_up: bool) -> None:
        """Ends the run, step after step; none of them may come earlier."""
        # 1. What is claimed leaves, or is put back. Then nothing departs any more.
        await self._batches.join()
        dispatching.cancel()
        # 2. Whatever was begun is settled, beside all that follows here, and beside the next run: calls may hang.
        self._engine.drains.add(self._settle_the_rest())
        # 3. A short wait for little to be on the wire: what still is when the lease goes leaves the next run less room.
        await self._departures.thin_out(seconds=_THIN_SECONDS)
        # 4. The lease goes, and with it the word of what still counts.
        await self._lease.stop_keeping()
        await self._hand_over(turn)
        # 5. Another run can begin. Should this ring be lost, the keeper finds what is due.
        if is_time_up:
            await self._engine.wakeups.pump_sender(self._sender.id)

    async def _hand_over(self, turn: int) -> None:
        """Tells the next run what is left; if the answer is lost or late it counts twice here, never too little."""
        now, longest = self._engine.clock.monotonic(), self._engine.settings.whatsapp_timeout_seconds
        word = await self._lease.release(self._arrivals.leave(now=now, longest=longest))
        self._arrivals.note_word(word, turn=turn)

    async def _settle_the_rest(self) -> None:
        """Waits for the answers of what is on the wire, and until all outcomes of the run are written."""
        # In this order: no call adds an outcome any more when the settler is closed.
        await self._departures.drain()
        await self._settler.close()

    async def _claim(self) -> bool:
        """Puts batch after batch on the way until the run must end. True: its time is up, and more may be due."""
        clock, over = self._engine.clock, self._lease.over
        end = clock.monotonic() + RUN_SECONDS
        idle_since: float | None = None
        while self._lease.holds(now := clock.monotonic()):
            if now >= end:
                return True
            match await self._next_batch():
                case Batch() as batch:
                    idle_since = None
                    await self._batches.put(batch)
                case NotYet(seconds=seconds):
                    idle_since = None
                    await rest(over, seconds)
                case None:
                    idle_since = now if idle_since is None else idle_since
                    if now - idle_since > _IDLE_SECONDS:
                        return False
                    await rest(over, _POLL_SECONDS)
        return False

    async def _next_batch(self) -> Batch | NotYet | None:
        """Claims a batch, unless too many outcomes wait to be written: that says nothing of what is due."""
        if self._engine.unwritten.is_full:
            return NotYet(seconds=_POLL_SECONDS)
        return await self._claimer.next_batch()

    async def _dispatch(self) -> None:
        """Lets batch after batch depart, until it is cancelled."""
        while True:
            batch = await self._batches.get()
            try:
                for parcel in batch.parcels:
                    await self._departures.depart(parcel, interval=batch.interval)
            except Exception:
                # The rest of the batch runs into its lease's end; the next batch must not wait for ever.
                _log.exception("a batch could not be sent whole")
            finally:
                self._batches.task_done()
