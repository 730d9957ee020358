"""Ties the two levels together: what an interceptor asks of the cache, and the task that follows the generations."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Self

from core.breaker import Breaker
from core.cache.aside import Aside
from core.cache.generations import BELIEVED_SECONDS, Generations
from core.cache.keys import Entry
from core.cache.memory import Memory, Remembered
from core.cache.metrics import CacheMetrics, Gauges, Outcome
from core.cache.outdating import Outdating
from core.cache.replies import AWAY, Found, Replies
from core.cache.server import Server
from core.clock import Clock

# How long to wait, in steps, for a reply that another process is making; with the looks between, within the 50 ms that
# a call may lose here.
_WAITS = (0.002, 0.004, 0.008, 0.012, 0.016)
_MARK = re.compile(r"([^=,]+)=([0-9]{1,19})(?:,|$)")
_DEFAULT_MEMORY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Safeguards:
    """Mechanisms a control run switches off to see what they are good for; no setting reaches them."""

    generation_check: bool = True
    fill_check: bool = True
    freshness_check: bool = True


class Cache:
    """Looks for kept replies, keeps new ones, and outdates what a write changed; use as an async context manager."""

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        timeout_seconds: float,
        rest_seconds: float = 5.0,
        memory_bytes: int = _DEFAULT_MEMORY_BYTES,
        safeguards: Safeguards | None = None,
    ) -> None:
        """Takes the server's address, a call's time for it, its rest when it keeps failing, and bytes to remember."""
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._safeguards = safeguards or Safeguards()
        breaker = Breaker(clock=clock, rest_seconds=rest_seconds)
        self._server = Server(url=url, clock=clock, timeout_seconds=timeout_seconds, breaker=breaker)
        # Nobody waits for these answers, and one that comes late because our own loop was late is still worth having.
        patience = max(timeout_seconds, BELIEVED_SECONDS)
        self._follower = Server(url=url, clock=clock, timeout_seconds=patience, breaker=breaker)
        self._generations = Generations(
            server=self._follower, clock=clock, are_believed_for_ever=not self._safeguards.freshness_check
        )
        self._outdating = Outdating(server=self._server, tell=self._generations.learn)
        self._memory = Memory(max_bytes=memory_bytes)
        self._replies = Replies(server=self._server, are_fills_checked=self._safeguards.fill_check)
        self._aside = Aside()
        self._closing: asyncio.Future[None]
        self._asking: asyncio.Task[None] | None = None
        self.metrics = CacheMetrics(clock=clock, gauges=self._gauges)

    async def __aenter__(self) -> Self:
        self._closing = asyncio.get_running_loop().create_future()
        self._asking = asyncio.create_task(self._keep_asking())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._asking is not None:
            self._closing.set_result(None)
            await self._asking
        await self.settle()
        await self._outdating.settle()
        await self._server.close()
        await self._follower.close()

    def recall(self, method: str, request: bytes, *, seen: str) -> tuple[Outcome, Remembered | None]:
        """Returns what this process remembers and may still show, without waiting, and how that came about.

        ``seen`` is what the caller knows of generations, as it was told: a list of name=number.
        """
        remembered = self._memory.get(method, request)
        outcome = self._judge(remembered, seen, self._clock.monotonic())
        if outcome == "hit" and remembered is not None:
            remembered.hits += 1
            self.metrics.count_level(method, "memory", "hit", size=len(remembered.reply))
            return outcome, remembered
        if outcome in {"miss", "stale"}:
            self._memory.drop(method, request)
        self.metrics.count_level(method, "memory", outcome)
        return outcome, None

    def recall_hit(self, method: str, request: bytes, seen: str, now: float) -> bytes | None:
        """Returns the reply that ``recall`` would, if it is not due either, counted; else None, and nothing happened.

        ``now`` is when the call began, in monotonic seconds.
        """
        remembered = self._memory.get(method, request)
        if remembered is None or self._judge(remembered, seen, now) != "hit":
            return None
        if now >= remembered.refresh_time and remembered.is_due(now):
            return None
        remembered.hits += 1
        recalled, reply = self.metrics.recalled[method], remembered.reply
        recalled.hits += 1
        recalled.bytes += len(reply)
        return reply

    def _judge(self, remembered: Remembered | None, seen: str, now: float) -> Outcome:
        if self._outdating.owed or now > self._generations.fresh_until:
            return "bypass"
        if remembered is None:
            return "miss"
        if not self._generations.stand(remembered.numbers):
            return "stale"
        if now >= remembered.end_time:
            return "miss"
        return "bypass" if seen and is_behind(remembered.numbers, seen) else "hit"

    def standing(self, method: str, request: bytes, *, seen: str) -> Remembered | None:
        """Returns what ``recall`` would, counting nothing: for a call that was counted, some time later."""
        remembered = self._memory.get(method, request)
        return remembered if self._judge(remembered, seen, self._clock.monotonic()) == "hit" else None

    def is_due(self, remembered: Remembered) -> bool:
        """Returns whether somebody should make the reply anew, so that it does not end while many ask for it."""
        return remembered.is_due(self._clock.monotonic())

    async def look(self, entry: Entry, *, refresh_seconds: float) -> Found:
        """Looks in Redis; what is found there is remembered, to be refreshed so many seconds before its end.

        Takes no longer than one question may, though what is owed is paid before.
        """
        found = await self._look(entry, refresh_seconds=refresh_seconds)
        outcome: Outcome = "bypass" if not found.is_usable else "miss" if found.reply is None else "hit"
        self.metrics.count_level(entry.method, "redis", outcome, size=len(found.reply or b""))
        return found

    async def _look(self, entry: Entry, *, refresh_seconds: float, since: float | None = None) -> Found:
        entry = self._guarded(entry)
        asked_at = self._clock.monotonic()
        start = asked_at if since is None else since
        if self._outdating.owed:
            paid = await self._outdating.pay(within_seconds=self._seconds_left(start))
            if not paid or self._seconds_left(start) < self._clock.monotonic() - asked_at:
                return AWAY
        looked = await self._replies.look(
            entry, renew_below_seconds=refresh_seconds, within_seconds=self._seconds_left(start)
        )
        found = replace(looked, ask_time=asked_at)
        # Of what was not followed, the last answer about the others tells nothing: a write may have come since.
        believed = float("inf") if self._generations.follows(found.numbers) else BELIEVED_SECONDS
        self._generations.learn(found.numbers)
        if found.reply is not None:
            if asked_at + found.seconds_left <= self._clock.monotonic():
                return replace(found, reply=None)  # it ended on its way
            end_time = asked_at + min(found.seconds_left, believed)
            self._remember(entry, found, found.reply, end_time=end_time, early=refresh_seconds)
        return found

    async def wait_elsewhere(self, entry: Entry, found: Found, *, refresh_seconds: float) -> Found:
        """Waits a little for a reply that another process is making; returns what was found last.

        With the look before, it takes no longer than one question may.
        """
        start = looked_at = found.ask_time
        for seconds in _WAITS:
            # A question that is cut off costs its connection: none is asked that may take longer than is left.
            took = self._clock.monotonic() - looked_at
            if not found.is_made_elsewhere or self._seconds_left(start) < seconds + took:
                break
            await asyncio.sleep(seconds)  # noqa: TID251 - looking now and then at what another process does
            if self._seconds_left(start) < took:
                break  # the loop was busy
            looked_at = self._clock.monotonic()
            again = await self._look(entry, refresh_seconds=refresh_seconds, since=start)
            if not again.is_usable:
                break
            found = again
        return found

    def _seconds_left(self, start: float) -> float:
        """Returns how long a call that began to wait then may still wait."""
        return max(0.0, start + self._timeout_seconds - self._clock.monotonic())

    async def keep(
        self, entry: Entry, found: Found, *, reply: bytes, ttl_seconds: float, refresh_seconds: float
    ) -> None:
        """Keeps a reply read after that look, unless it was outdated since; its age counts from the look on."""
        entry = self._guarded(entry)
        end_time = found.ask_time + ttl_seconds
        if end_time <= self._clock.monotonic():
            await self.give_up(entry, found)
        elif await self._replies.fill(entry, found, reply=reply, ttl_seconds=ttl_seconds):
            self._remember(entry, found, reply, end_time=end_time, early=refresh_seconds)

    def keep_soon(
        self, entry: Entry, found: Found, *, reply: bytes, ttl_seconds: float, refresh_seconds: float
    ) -> asyncio.Task[None] | None:
        """Does what ``keep`` does, while the caller goes on; returns the task, None when too much is under way."""
        keep = partial(self.keep, entry, found, reply=reply, ttl_seconds=ttl_seconds, refresh_seconds=refresh_seconds)
        keeping = self._aside.start(keep)
        if keeping is None:
            self.give_up_soon(entry, found)
        return keeping

    def give_up_soon(self, entry: Entry, found: Found) -> None:
        """Does what ``give_up`` does, while the caller goes on, or is gone already."""
        if found.is_ours:
            self._aside.start(partial(self.give_up, entry, found), is_small=True)

    async def settle(self) -> None:
        """Waits, for half a second at most, until what callers left to be kept is kept."""
        await self._aside.settle()

    async def give_up(self, entry: Entry, found: Found) -> None:
        """Lets others know that no reply will be kept, so that nobody waits for it."""
        if found.is_ours:
            await self._replies.release(self._guarded(entry), found)

    def owe(self, collections: Iterable[str]) -> None:
        """Remembers that these may have changed: until they are outdated this process shows nothing kept."""
        self._outdating.owe(collections)

    async def outdate(self, collections: Sequence[str]) -> dict[str, int]:
        """Makes every kept reply of these unreachable, and returns their generations; none when the cache is away."""
        return await self._outdating.outdate(collections)

    def _guarded(self, entry: Entry) -> Entry:
        return entry if self._safeguards.generation_check else replace(entry, collections=())

    def _remember(self, entry: Entry, found: Found, reply: bytes, *, end_time: float, early: float) -> None:
        self._memory.put(
            entry,
            Remembered(
                request=entry.request,
                reply=reply,
                numbers=found.numbers,
                end_time=end_time,
                refresh_time=end_time - early,
            ),
        )

    def _gauges(self) -> Gauges:
        return Gauges(
            available=self._server.is_available,
            failure_count=self._server.failure_count + self._follower.failure_count,
            memory_bytes=self._memory.size,
        )

    async def _keep_asking(self) -> None:
        """Asks for the generations again and again, whether the last answer has come or not."""
        async with asyncio.TaskGroup() as asking:
            while not self._closing.done():
                seconds = self._generations.ask_seconds
                asking.create_task(self._follow())
                await asyncio.wait((self._closing,), timeout=seconds)

    async def _follow(self) -> None:
        await self._outdating.make_good()
        await self._generations.ask()


def is_behind(known: Mapping[str, int], seen: str) -> bool:
    """Returns whether a caller has seen a write that is not in these generations."""
    return any(number > known.get(name, number) for name, number in _marks(seen).items())


@lru_cache(maxsize=1024)
def _marks(seen: str) -> Mapping[str, int]:
    """Reads what a caller sent back; what makes no sense is left out."""
    return MappingProxyType({name: int(number) for name, number in _MARK.findall(seen)})
