"""Raising generations after a commit, and remembering the raises that failed until they can be made good."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from core.breaker import Breaker
from core.cache.keys import generation_keys
from core.cache.scripts import RAISE
from core.cache.server import Server
from core.cancellation import end
from core.clock import Clock
from core.settings import Settings

_AGAIN_SECONDS = 0.5
_LAST_SECONDS = 2.0
_LAST_AGAIN_SECONDS = 0.1
_MOST_NAMED = 5

_log = logging.getLogger(__name__)


def _ignore(_numbers: Mapping[str, int]) -> None:
    """Takes what was raised where nobody wants to know."""


class Outdating:
    """Makes kept replies of collections unreachable; never fails, and waits no longer than the server may take."""

    def __init__(self, *, server: Server, tell: Callable[[Mapping[str, int]], None] = _ignore) -> None:
        """Takes whom to tell of the generations that were raised."""
        self._server = server
        self._raise = server.script(RAISE)
        self._tell = tell
        # What changed of which Redis does not know yet, each with its ticket; read on the way of each hit.
        self.owed: dict[str, int] = {}
        self._tickets = 0
        self._payments = 0
        self._something_is_owed = asyncio.Event()

    def owe(self, collections: Iterable[str]) -> None:
        """Remembers that these may have changed: until they are outdated this process shows nothing kept."""
        self._tickets += 1
        self.owed.update(dict.fromkeys(collections, self._tickets))
        self._something_is_owed.set()

    async def outdate(self, collections: Sequence[str]) -> dict[str, int]:
        """Raises the generations of these and returns them; none of them when the server is away."""
        self.owe(collections)
        paid = await self.pay()
        return {name: paid[name] for name in collections if name in paid}

    async def make_good(self) -> None:
        """Raises what is owed, unless that is being done: for who looks after it from time to time."""
        if self.owed and not self._payments:
            await self.pay()

    async def keep_paying(self) -> None:
        """Raises what is owed as soon as it is, until cancelled; what Redis did not take is told it again."""
        while True:
            await self._something_is_owed.wait()
            await self._pay_off(again_seconds=_AGAIN_SECONDS)

    async def settle(self) -> None:
        """Raises what is owed before the process ends, for two seconds at most; the log says what could not be told."""
        self._server.insist()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await self._pay_off(again_seconds=_LAST_AGAIN_SECONDS)
        if self.owed:
            text = "the cache could not be told: for an hour at most the API may show what it kept before of %s"
            _log.warning(text, _some(sorted(self.owed)))

    async def _pay_off(self, *, again_seconds: float) -> None:
        while self.owed:
            if not await self.pay():
                await asyncio.sleep(again_seconds)  # noqa: TID251 - nothing tells when the server is back

    async def pay(self, *, within_seconds: float = float("inf")) -> dict[str, int]:
        """Raises all that is owed, in that time or not at all; a collection owed again meanwhile stays owed."""
        owed = dict(self.owed)
        self._payments += 1
        try:
            answer = await self._server.run(
                self._raise, keys=generation_keys(owed), args=[], within_seconds=within_seconds
            )
        finally:
            self._payments -= 1
        if answer is None:
            return {}
        numbers = {name: int(str(number)) for name, number in zip(owed, answer, strict=True)}
        self._tell(numbers)
        for name, ticket in owed.items():
            if self.owed.get(name) == ticket:
                del self.owed[name]
        if not self.owed:
            self._something_is_owed.clear()
        return numbers


def _some(names: Sequence[str]) -> str:
    """Returns the first of the names in words."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


@asynccontextmanager
async def telling(settings: Settings, *, clock: Clock) -> AsyncIterator[Callable[[Iterable[str]], None] | None]:
    """Yields how a process that keeps no replies itself tells what it changed of those that others keep.

    What it owes is paid. None where no replies are kept.
    """
    if not settings.cache_enabled:
        yield None
        return
    breaker = Breaker(clock=clock, rest_seconds=0.0)  # nobody waits for an answer: there is nothing to spare
    server = Server(
        url=settings.cache_url, clock=clock, timeout_seconds=settings.cache_timeout_seconds, breaker=breaker
    )
    outdating = Outdating(server=server)
    paying = asyncio.create_task(outdating.keep_paying())
    try:
        yield outdating.owe
    finally:
        await end(paying)
        await outdating.settle()
        await server.close()
