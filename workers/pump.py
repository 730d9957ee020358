"""Sends one sender's messages for some seconds: while one batch is on the wire, the next one is claimed."""

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from core.domain.outcomes import NotSent
from core.domain.pacing import Gate
from core.pace import Lane
from core.repositories.pumps import PumpedSender
from core.whatsapp.credentials import access_token
from workers.aftermath import Aftermath
from workers.claimer import Claimer
from workers.courier import Courier, Parcel
from workers.engine import Engine
from workers.settler import Settler
from workers.waiting import acquire, finish, pause

_log = logging.getLogger(__name__)

RUN_SECONDS = 10.0
LEASE_SECONDS = 10.0
_RENEW_SECONDS = 3.0
_IDLE_SECONDS = 0.5
_POLL_SECONDS = 0.1
_MAX_BACKLOG = 2000
_SLOT = 0


async def pump_sender(engine: Engine, sender_id: UUID) -> None:
    """Sends what is due for a sender, unless another pump does; ends after some seconds and rings for the next."""
    # Each run has a name of its own: a second ring heard by the same process must not make a second pump.
    holder = f"{engine.holder}/{engine.luck():.12f}"
    async with engine.store.connection() as rooms:
        sender = await rooms.pumps.get_pumped_sender(sender_id)
        if sender is None or not await rooms.pumps.acquire_pump(
            sender_id=sender_id, slot=_SLOT, holder=holder, seconds=LEASE_SECONDS
        ):
            return
    await Pump(engine=engine, sender=sender, holder=holder).run()


class Pump:
    """One run of one sender's pump; it holds the pump's lease when it starts."""

    def __init__(self, *, engine: Engine, sender: PumpedSender, holder: str) -> None:
        self._engine = engine
        self._holder = holder
        self._sender = sender
        self._lane = Lane.of_sender(sender.id, sender.messages_per_second)
        self._stop = asyncio.Event()
        self._batches: asyncio.Queue[Sequence[Parcel]] = asyncio.Queue(maxsize=1)
        self._calls: set[asyncio.Task[None]] = set()
        self._gate = Gate()
        self._settler = Settler(engine)
        self._claimer = Claimer(engine=engine, sender_id=sender.id, lane=self._lane, settler=self._settler)
        self._courier = Courier(
            engine=engine,
            sender=sender,
            token=access_token(engine.settings, sender.credential_reference),
            settler=self._settler,
            aftermath=Aftermath(engine=engine, sender_id=sender.id, lane=self._lane),
        )

    async def run(self) -> None:
        """Sends until the time is up, nothing is due, or the process stops; whatever was begun is settled."""
        watch = asyncio.create_task(self._watch())
        dispatch = asyncio.create_task(self._dispatch())
        more = False
        try:
            more = await self._claim()
        finally:
            await self._batches.join()
            dispatch.cancel()
            watch.cancel()
            await self._let_go()
            if more:
                await self._engine.wakeups.pump_sender(self._sender.id)
            await self._drain()

    async def _claim(self) -> bool:
        """Puts batch after batch on the way; True when it ended with work still to do."""
        end = self._engine.clock.monotonic() + RUN_SECONDS
        idle_since: float | None = None
        while not self._stop.is_set():
            now = self._engine.clock.monotonic()
            if now >= end:
                return True
            batch = await self._claimer.next_batch() if self._settler.backlog < _MAX_BACKLOG else ()
            if batch:
                idle_since = None
                await self._batches.put(batch)
                continue
            idle_since = idle_since or now
            if now - idle_since > _IDLE_SECONDS and not self._claimer.waiting:
                return False
            await pause(self._stop, self._claimer.waiting or _POLL_SECONDS)
        return False

    async def _dispatch(self) -> None:
        while True:
            batch = await self._batches.get()
            try:
                for parcel in batch:
                    await self._depart(parcel)
            except Exception:
                # The rest of the batch runs into its lease's end; the next batch must not wait for ever.
                _log.exception("a batch could not be sent whole")
            finally:
                self._batches.task_done()

    async def _depart(self, parcel: Parcel) -> None:
        delay = self._gate.opening(parcel.slot) - self._engine.clock.monotonic()
        if delay > 0:
            await pause(self._stop, delay)
        if not await acquire(self._engine.calls, self._stop):
            self._courier.settle(parcel, NotSent(reason="the worker stops"))
            return
        self._gate.pass_one(now=self._engine.clock.monotonic(), interval=self._claimer.interval)
        call = asyncio.create_task(self._courier.deliver(parcel))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _watch(self) -> None:
        """Renews the pump's lease; stops the pump when the lease is lost or the process stops."""
        while not await pause(self._engine.stopping, _RENEW_SECONDS):
            if not await self._renew():
                break
        self._stop.set()

    async def _renew(self) -> bool:
        try:
            async with self._engine.store.connection() as rooms:
                return await rooms.pumps.acquire_pump(
                    sender_id=self._sender.id, slot=_SLOT, holder=self._holder, seconds=LEASE_SECONDS
                )
        except Exception:
            # Two pumps of one sender share its pace and never a message: going on is safe.
            _log.exception("the pump's lease could not be renewed")
            return True

    async def _let_go(self) -> None:
        try:
            async with self._engine.store.connection() as rooms:
                await rooms.pumps.release_pump(sender_id=self._sender.id, slot=_SLOT, holder=self._holder)
        except Exception:
            _log.exception("the pump's lease could not be released; it will end by itself")

    async def _drain(self) -> None:
        """Waits for the calls on the wire, but not longer than the grace of a stop; writes what came of them."""
        await finish(self._calls, stopping=self._engine.stopping, seconds=self._engine.settings.stop_grace_seconds)
        await self._settler.close()
