"""Bodies on their way to disk: all that wait are appended in one statement, and each POST answers after its commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from core.cancellation import end
from core.domain.errors import Unavailable
from core.metrics import WebhookMetrics
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.whatsapp.bodies import may_say_stop
from server.webhooks.bounded import within

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS: Final = 5.0
# WhatsApp sends again what it got no answer for; an honest no comes before that.
_PATIENCE_SECONDS: Final = 8.0
# Whoever arrives so soon after shares the commit.
_GATHER_SECONDS: Final = 0.01
_MOST_BYTES_AT_ONCE: Final = 8 * 2**20
_MOST_BYTES_WAITING: Final = 64 * 2**20
# Each ring is a batch of a worker's: the more bodies share one, the more receipts of one message meet and are one
# change. For who says stop it rings sooner, and apart: such a body waits only for a batch that has taken it already.
_RING_SECONDS: Final = 0.3
_URGENT_RING_SECONDS: Final = 0.1


class Intake:
    """Appends bodies durably; use as an async context manager."""

    def __init__(self, *, store: Store, wakeups: Wakeups, metrics: WebhookMetrics) -> None:
        self._store = store
        self._metrics = metrics
        self._wakeups = wakeups
        self._waiting: deque[tuple[bytes, asyncio.Future[None]]] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._committed = asyncio.Event()
        self._urgent = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        works = (
            self._append_all(),
            _ring(self._committed, self._wakeups.apply_deliveries, every=_RING_SECONDS),
            _ring(self._urgent, self._wakeups.apply_urgent, every=_URGENT_RING_SECONDS),
        )
        self._tasks = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            await end(task)
        if self._urgent.is_set():
            await self._wakeups.apply_urgent()
        if self._committed.is_set():
            await self._wakeups.apply_deliveries()

    async def append(self, body: bytes) -> None:
        """Returns once the body is durable; raises Unavailable when it is not, and then WhatsApp must send it again."""
        if self._waiting_bytes + len(body) > _MOST_BYTES_WAITING:
            raise Unavailable("WEBHOOK_DOOR_FULL", "Too many bodies wait for the database.")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((body, done))
        self._waiting_bytes += len(body)
        self._arrived.set()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await done
        except TimeoutError:
            raise Unavailable("DATABASE_SLOW", "The database did not answer in time.") from None

    async def _append_all(self) -> None:
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_GATHER_SECONDS)  # noqa: TID251  # cancelled when the door closes
            batch = self._take()
            error = await self._store_batch([body for body, _ in batch])
            for _, done in batch:
                _answer(done, error)

    def _take(self) -> list[tuple[bytes, "asyncio.Future[None]"]]:
        """Takes what waits, a few megabytes at most; whoever arrives meanwhile shares the next commit."""
        batch: list[tuple[bytes, asyncio.Future[None]]] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0][0]) <= _MOST_BYTES_AT_ONCE):
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        self._waiting_bytes -= size
        if not self._waiting:
            self._arrived.clear()
        return batch

    async def _store_batch(self, bodies: list[bytes]) -> Unavailable | None:
        for last in (False, True):
            try:
                await within(_TIMEOUT_SECONDS, self._store_bodies(bodies))
            except Exception as error:
                # A connection that died while idle shows only now. Appending twice is harmless, losing is not.
                if last or isinstance(error, TimeoutError):
                    _log.warning("bodies were not stored", extra={"count": len(bodies), "error": type(error).__name__})
                    break
            else:
                self._committed.set()
                return None
        return Unavailable("DATABASE_AWAY", "The database does not answer.")

    async def _store_bodies(self, bodies: list[bytes]) -> None:
        urgent = [may_say_stop(body) for body in bodies]
        start = perf_counter()
        async with self._store.connection() as rooms:
            await rooms.deliveries.append_deliveries(bodies, urgent=urgent)
        self._metrics.observe_commit(perf_counter() - start)
        if any(urgent):
            self._urgent.set()


async def _ring(rung: asyncio.Event, wake: Callable[[], Awaitable[bool]], *, every: float) -> None:
    """Rings after commits, but not for each: the bell says that there is work, not how much."""
    while True:
        await rung.wait()
        rung.clear()
        await wake()
        await asyncio.sleep(every)  # noqa: TID251  # cancelled when the door closes


def _answer(done: "asyncio.Future[None]", error: Unavailable | None) -> None:
    """Wakes a POST, unless its caller has hung up."""
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
