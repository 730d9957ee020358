"""Answers reads from kept replies before anything is parsed; a write outdates what it changed, after its commit."""

import asyncio
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager

from core.cache import Cache, Entry, Found, Outcome, campaign_generation
from core.domain.errors import Refusal, Unavailable
from server.call import Call
from server.interceptors.base import Proceed
from server.policies import Changed, Kept

OUTCOME = "chappe-cache"
GENERATIONS = "chappe-generations"
_CAMPAIGN = re.compile(rb"campaigns/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_LARGEST_JITTER = 0.1

_Flight = asyncio.Future[bytes | Refusal | None]


class Caching:
    """Keeps replies as the contract allows: with the cache or without, two replies differ only by age."""

    def __init__(self, *, cache: Cache, max_reply_bytes: int) -> None:
        self._cache = cache
        self._max_reply_bytes = max_reply_bytes
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Answers from the cache, or lets the call pass and keeps its reply, or outdates what the call changes."""
        if call.policy.kept is not None:
            return await self._read(call, call.policy.kept, proceed)
        if call.policy.changed is not None:
            return await self._change(call, call.policy.changed, proceed)
        return await proceed()

    async def _read(self, call: Call, kept: Kept, proceed: Proceed) -> bytes:
        entry = _entry(call, kept)
        if "no-cache" in call.header("cache-control"):
            self._tell(call, "bypass")
            return await proceed()
        found = await self._cache.look(entry)
        if found.stamp and _is_behind(found.generations(entry), call.header(GENERATIONS)):
            self._tell(call, "bypass")
            return await proceed()
        if found.value is not None:
            self._tell(call, "hit")
            return found.value
        return await self._fly(call, kept, entry, found, proceed)

    async def _fly(self, call: Call, kept: Kept, entry: Entry, found: Found, proceed: Proceed) -> bytes:
        """Lets one call of many alike do the work; the stamp in the key keeps those after a write apart."""
        key = (entry.key, found.stamp)
        flight = self._flights.get(key) if found.stamp else None
        if flight is not None:
            shared = await asyncio.shield(flight)
            if isinstance(shared, Refusal):
                raise shared
            if shared is not None:
                self._tell(call, "hit")
                return shared
        self._tell(call, "miss")
        if not found.stamp or flight is not None:
            return await proceed()
        with self._flight(key) as landing:
            reply = await _landed(landing, proceed)
            await self._keep(call, kept, entry, found.stamp, reply)  # who comes until it is kept still shares it
        return reply

    @contextmanager
    def _flight(self, key: tuple[str, str]) -> Iterator[_Flight]:
        flight: _Flight = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        try:
            yield flight
        finally:
            del self._flights[key]
            if not flight.done():
                flight.set_result(None)  # cancelled or broken: the others go on by themselves

    async def _keep(self, call: Call, kept: Kept, entry: Entry, stamp: str, reply: bytes) -> None:
        if len(reply) > self._max_reply_bytes:
            return
        seconds = kept.final_ttl_seconds if call.final and kept.final_ttl_seconds else kept.ttl_seconds
        await self._cache.fill(entry, stamp=stamp, value=reply, ttl_seconds=seconds * (1 - _jitter(entry)))

    async def _change(self, call: Call, changed: Changed, proceed: Proceed) -> bytes:
        collections = _collections(call, changed)
        try:
            reply = await proceed()
        except BaseException as error:
            if not isinstance(error, Refusal) or isinstance(error, Unavailable):
                # It may have been committed and nobody told. A cancelled call cannot wait, so the next look pays.
                self._cache.owe(collections)
            raise
        generations = await self._cache.outdate(collections)
        if generations:
            call.trailing[GENERATIONS] = ",".join(f"{name}={number}" for name, number in generations.items())
        return reply

    def _tell(self, call: Call, outcome: Outcome) -> None:
        call.trailing[OUTCOME] = outcome
        self._cache.metrics.count(call.method.removeprefix("/"), outcome)


async def _landed(flight: _Flight, proceed: Proceed) -> bytes:
    """Shares with the others what the call came to, if they would come to the same."""
    try:
        reply = await proceed()
    except Refusal as refusal:
        flight.set_result(None if isinstance(refusal, Unavailable) else refusal)
        raise
    flight.set_result(reply)
    return reply


def _entry(call: Call, kept: Kept) -> Entry:
    digest = hashlib.sha256(call.raw).hexdigest()
    return Entry(method=call.method, digest=digest, collections=_collections(call, kept))


def _collections(call: Call, policy: Kept | Changed) -> tuple[str, ...]:
    """Adds the campaign the request names, found in its bytes: a name stands there as it is, parsed or not."""
    if not policy.is_of_campaign:
        return policy.collections
    named = sorted({campaign_generation(match.decode()) for match in _CAMPAIGN.findall(call.raw)})
    return (*policy.collections, *named)


def _is_behind(known: dict[str, int], sent: str) -> bool:
    """Whether the caller has seen a write that this cache has not."""
    for pair in sent.split(","):
        name, _, number = pair.partition("=")
        if name in known and number.isdecimal() and int(number) > known[name]:
            return True
    return False


def _jitter(entry: Entry) -> float:
    """Spreads the ends of entries made at once, each by its own digest; never beyond what was promised."""
    return int(entry.digest[:8], 16) / 0xFFFFFFFF * _LARGEST_JITTER
