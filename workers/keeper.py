"""Finds, each second, the work a lost wake-up or a dead worker left; rings for it, or does it where no bell rings."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from core.repositories.rooms import Rooms
from workers.engine import Engine
from workers.tasks import upkeep
from workers.waiting import rest

_log = logging.getLogger(__name__)

# Any constant will do; it only has to be the same in every release.
LOCK = 0x4348_4B50
_ROUND_SECONDS = 1.0
_BEAT_SECONDS = 1.0
# The same work found in more rounds than these has not been heard of: the bell rings, but nobody listens.
_PATIENCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Work that waits: what to ring, and what to do when nobody comes. The name tells two errands apart.

    Without a bell the keeper always does it itself, and never twice at once. `head` is what waits first, of work that
    never ends under load: another one in the next round shows that somebody is at it.
    """

    name: str
    work: Callable[[], Awaitable[None]]
    ring: Callable[[], Awaitable[bool]] | None = None
    head: object = None


Scout = Callable[[], Awaitable[list[Errand]]]
Chore = Callable[[Engine], Awaitable[None]]

CHORES: tuple[Chore, ...] = (
    upkeep.start_campaigns,
    upkeep.resume_campaigns,
    upkeep.expire_leases,
    upkeep.judge_doubts,
    upkeep.decide_doubts,
    upkeep.complete_campaigns,
)


class _Seen(NamedTuple):
    """In how many rounds, one after the other, an errand was found, and with which head."""

    rounds: int
    head: object


@asynccontextmanager
async def _beating(rooms: Rooms) -> AsyncIterator[None]:
    """Shows all the while that this process is not frozen; fails in the end where that was not believed."""
    over = asyncio.Event()
    beats = asyncio.create_task(_beat(rooms, over))
    try:
        yield
    finally:
        over.set()
        await beats


async def _beat(rooms: Rooms, over: asyncio.Event) -> None:
    while not await rest(over, _BEAT_SECONDS):
        await rooms.pumps.beat()


class Keeper:
    """Keeps house for the whole deployment, while it holds the lock; every worker has one."""

    def __init__(self, *, engine: Engine, scouts: tuple[Scout, ...], chores: tuple[Chore, ...] = CHORES) -> None:
        """Takes who looks for work to ring for, and what the keeper does itself."""
        self._engine = engine
        self._scouts = scouts
        self._chores = chores
        # What the last round found, by the errand's name.
        self._found: dict[str, _Seen] = {}
        # What the keeper does itself, or did since the last round.
        self._own: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Makes a round each second until the process stops; a failed round is only a late one."""
        while not await rest(self._engine.stopping, _ROUND_SECONDS):
            try:
                await self.tick()
            except Exception:
                _log.exception("the keeper's round failed")
        await asyncio.gather(*self._own.values(), return_exceptions=True)

    async def tick(self) -> None:
        """Makes one round, unless another process keeps house just now."""
        async with self._engine.store.transaction() as rooms:
            # The lock ends with this transaction; the work has transactions of its own.
            if await rooms.pumps.lock_keeper(LOCK):
                async with _beating(rooms):
                    await self._round()

    async def _round(self) -> None:
        for chore in self._chores:
            await self._try(chore)
        found = [errand for scout in self._scouts for errand in await self._ask(scout)]
        self._found = {errand.name: _Seen(self._rounds(errand), errand.head) for errand in found}
        self._own = {name: task for name, task in self._own.items() if not task.done()}
        for errand in found:
            await self._send(errand)

    def _rounds(self, errand: Errand) -> int:
        """Returns in how many rounds an errand was found without a sign that somebody else is at it."""
        rounds, head = self._found.get(errand.name, _Seen(0, errand.head))
        if errand.head == head:
            return rounds + 1
        # What the keeper moved itself is no such sign, nor is it one that nobody listens: the next round will tell.
        return _PATIENCE if errand.name in self._own else 1

    async def _try(self, chore: Chore) -> None:
        """One chore that fails must not keep the others from being done."""
        try:
            await chore(self._engine)
        except Exception:
            _log.exception("a chore failed")

    async def _ask(self, scout: Scout) -> list[Errand]:
        """Nor must a scout that fails keep the others from being asked."""
        try:
            return await scout()
        except Exception:
            _log.exception("a scout failed")
            return []

    async def _send(self, errand: Errand) -> None:
        if errand.ring is not None and await errand.ring() and self._found[errand.name].rounds <= _PATIENCE:
            return
        if errand.name in self._own:
            return
        if errand.ring is not None:
            _log.info("nobody came: the keeper does the work itself", extra={"errand": errand.name.partition(":")[0]})
        self._own[errand.name] = asyncio.create_task(self._do(errand))

    async def _do(self, errand: Errand) -> None:
        try:
            await errand.work()
        except Exception:
            _log.exception("the keeper's own work failed")
