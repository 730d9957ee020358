"""Answers reads from kept replies before anything is parsed; a write outdates what it changed, after its commit.

A read asks the process's own memory, then Redis, then the service; of many alike, one asks for all.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import cast

from core.cache import BELIEVED_SECONDS, Cache, Entry, Found, Outcome, Remembered, campaign_generation, is_behind
from core.domain.errors import Refusal, Unavailable
from server.call import Call, note_outdated
from server.interceptors.base import Proceed
from server.interceptors.flights import Flights, Made
from server.policies import Changed, Kept

OUTCOME = "chappe-cache"
GENERATIONS = "chappe-generations"
_CAMPAIGN = re.compile(rb"campaigns/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LARGEST_JITTER = 0.1
_MOST_TOLD = 50  # some 3 KiB; gRPC takes 8 of metadata, and our own client sends 64 generations back


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Holds a read that memory did not answer."""

    call: Call
    policy: Kept
    entry: Entry
    proceed: Proceed
    outcome: Outcome


class Caching:
    """Keeps replies as the contract allows: with the cache or without, two replies differ only by age."""

    def __init__(self, *, cache: Cache, max_reply_bytes: int) -> None:
        self._cache = cache
        # For whoever answers without the chain: a method around it would cost a twentieth of such an answer.
        self.recall_hit = cache.recall_hit
        self._max_reply_bytes = max_reply_bytes
        self._flights = Flights()

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Answers from the cache, or lets the call pass and keeps its reply, or outdates what the call changes."""
        if call.policy.kept is not None:
            return await self._read(call, call.policy.kept, proceed)
        if call.policy.changed is not None:
            return await self._change(call, call.policy.changed, proceed)
        return await proceed()

    async def _read(self, call: Call, policy: Kept, proceed: Proceed) -> bytes:
        """Counts a call once, by how it was answered in the end."""
        try:
            return await self._shown(call, policy, proceed)
        finally:
            outcome = call.trailing.get(OUTCOME)
            if outcome is not None:
                self._cache.metrics.count(call.method, cast("Outcome", outcome))

    async def _shown(self, call: Call, policy: Kept, proceed: Proceed) -> bytes:
        """Shows what this process remembers; what many ask for is looked for elsewhere a little before it ends."""
        if "no-cache" in call.header("cache-control"):
            return await self._told(call, "bypass", proceed)
        outcome, remembered = self._cache.recall(call.method, call.raw, seen=call.header(GENERATIONS))
        if remembered is not None and not self._cache.is_due(remembered):
            return self._hit(call, remembered.reply)
        entry = Entry(method=call.method, request=call.raw, collections=_collections(call, policy))
        read = _Read(call=call, policy=policy, entry=entry, proceed=proceed, outcome=outcome)
        return await self._look(read)

    async def _look(self, read: _Read) -> bytes:
        """Shows what Redis keeps, unless it is for us to make it anew or the caller knows of a later write."""
        found = await self._cache.look(read.entry, refresh_seconds=read.policy.refresh_seconds)
        if is_behind(found.numbers, read.call.header(GENERATIONS)):
            self._cache.give_up_soon(read.entry, found)
            return await self._told(read.call, "bypass", read.proceed)
        kept = self._kept(read, found)
        if kept is not None and not found.is_ours:
            return self._hit(read.call, kept)
        if not found.is_usable:
            return await self._told(read.call, "bypass", read.proceed)
        try:
            return await self._make_once(read, found)
        except Unavailable:
            standing = self._standing(read)
            if standing is None:
                raise
            return self._hit(read.call, standing.reply)  # it could not be made anew, and it has not ended yet

    def _kept(self, read: _Read, found: Found) -> bytes | None:
        """Returns what may be shown after a look, which took its time and may have told of a write unheard of here."""
        if found.reply is not None:
            return found.reply
        standing = self._standing(read)
        if standing is None or (found.is_usable and found.numbers != standing.numbers):
            return None
        return standing.reply

    def _standing(self, read: _Read) -> Remembered | None:
        """Returns what is remembered by now and may be shown."""
        call = read.call
        return self._cache.standing(call.method, call.raw, seen=call.header(GENERATIONS))

    async def _make_once(self, read: _Read, found: Found) -> bytes:
        """Lets one call of this process do the work; the stamp in the key keeps those after a write apart."""
        key = (read.entry.key, found.stamp)
        try:
            shared = await self._flights.join(key)
        except (Exception, asyncio.CancelledError):
            self._cache.give_up_soon(read.entry, found)  # the leader may have come without a lease
            raise
        if shared is not None:
            return self._hit(read.call, shared)
        return await self._flights.lead(key, partial(self._make, read, found))

    async def _make(self, read: _Read, found: Found) -> Made:
        """Makes the reply and has it kept, unless another process does so just now."""
        found = await self._cache.wait_elsewhere(read.entry, found, refresh_seconds=read.policy.refresh_seconds)
        if found.reply is not None and not found.is_ours:
            return self._hit(read.call, found.reply), None
        try:
            reply = await self._told(read.call, "stale" if read.outcome == "stale" else "miss", read.proceed)
        except (Exception, asyncio.CancelledError):
            self._cache.give_up_soon(read.entry, found)
            raise
        return reply, self._keep(read, found, reply)  # who comes until it is kept still shares it

    def _keep(self, read: _Read, found: Found, reply: bytes) -> asyncio.Task[None] | None:
        if len(reply) > self._max_reply_bytes:
            self._cache.give_up_soon(read.entry, found)
            return None
        policy = read.policy
        seconds = policy.final_ttl_seconds if read.call.final and policy.final_ttl_seconds else policy.ttl_seconds
        return self._cache.keep_soon(
            read.entry,
            found,
            reply=reply,
            ttl_seconds=seconds * (1 - _jitter(read.entry)),
            refresh_seconds=policy.refresh_seconds,
        )

    async def _change(self, call: Call, changed: Changed, proceed: Proceed) -> bytes:
        collections = _collections(call, changed)
        try:
            reply = await proceed()
        except BaseException as error:
            if not isinstance(error, Refusal) or isinstance(error, Unavailable) or not call.is_unary:
                # It may have been committed and nobody told; of a stream, part of it even where the rest was refused.
                # A cancelled call cannot wait, so the next look pays.
                self._cache.owe(collections)
            raise
        generations = await self._cache.outdate((*collections, *sorted(call.outdated)))
        if len(generations) > _MOST_TOLD:
            await asyncio.sleep(BELIEVED_SECONDS)  # noqa: TID251 - after which every process knows of them
        elif generations:
            call.trailing[GENERATIONS] = ",".join(f"{name}={number}" for name, number in generations.items())
        return reply

    def _hit(self, call: Call, reply: bytes) -> bytes:
        call.trailing[OUTCOME] = "hit"
        return reply

    async def _told(self, call: Call, outcome: Outcome, proceed: Proceed) -> bytes:
        call.trailing[OUTCOME] = outcome
        return await proceed()


def outdating(cache: Cache) -> Callable[[Iterable[str]], None]:
    """Returns what a store tells of what it changed: nothing kept of it is shown any more, and the caller is told."""

    def outdate(collections: Iterable[str]) -> None:
        cache.owe(collections)
        note_outdated(collections)

    return outdate


def _collections(call: Call, policy: Kept | Changed) -> tuple[str, ...]:
    """Adds the campaign the request names, found in its bytes: a name stands there as it is, parsed or not."""
    if not policy.is_of_campaign:
        return policy.collections
    named = sorted({campaign_generation(match.decode()) for match in _CAMPAIGN.findall(call.raw)})
    return (*policy.collections, *named)


def _jitter(entry: Entry) -> float:
    """Spreads the ends of entries made at once, each by its own digest; never beyond what was promised."""
    return int(entry.digest[:8], 16) / 0xFFFFFFFF * _LARGEST_JITTER
