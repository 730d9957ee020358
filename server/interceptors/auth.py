"""Who calls, and whether their role allows it: refused before anything is spent."""

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from core.clock import Clock
from core.domain.access import ApiKey, Caller, Role, key_hash
from core.domain.errors import NotAllowed, Refusal, Unauthenticated, Unavailable
from core.repositories.rooms import Store
from server.call import Call
from server.interceptors.base import Proceed

_REMEMBERED_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
# After so many failures in a row to ask about its key, other than for a database that is away, a stream ends.
_MOST_FAILURES = 10
_REMEMBERED_KEYS = 10_000
_REMEMBERED_HEADERS = 256
_SCHEME = "bearer "

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Verdict:
    key: ApiKey | None
    caller: Caller | None
    known_at: float
    roles: tuple[Role, ...] = ()  # that the caller may act as
    may_end: bool = True  # by the calendar, so that it has to be read


_UNKNOWN = _Verdict(None, None, 0.0)


class Auth:
    """Knows callers by their key; a verdict is remembered for ten seconds, so a revoked key may live that long."""

    def __init__(self, *, store: Store, clock: Clock, remembered_seconds: float = _REMEMBERED_SECONDS) -> None:
        self._store = store
        self._clock = clock
        self._remembered_seconds = remembered_seconds
        self._again_seconds = min(_AGAIN_SECONDS, remembered_seconds)
        self._verdicts: OrderedDict[bytes, _Verdict] = OrderedDict()

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Lets the call pass when its key and role are good; refuses with ``API_KEY_INVALID`` or ``ROLE_TOO_LOW``."""
        role, header = call.policy.role, call.header("authorization")
        if role is None:
            return await proceed()
        call.caller = await self._caller(header)
        if not call.caller.role.may_act_as(role):
            text = f"This call needs the role {role}."
            raise NotAllowed("ROLE_TOO_LOW", text, needed_role=role)
        return await (proceed() if call.is_unary else self._while_good(_hashed(header), proceed))

    def remembers(self, header: str, role: Role, now: float) -> bool:
        """Returns whether the key is known to be good for the role, ``now`` (monotonic), without looking anywhere."""
        verdict = self._verdicts.get(_hashed(header))
        if verdict is None or now - verdict.known_at >= self._remembered_seconds or role not in verdict.roles:
            return False
        return not verdict.may_end or self._judge(verdict) is not None

    async def _caller(self, header: str) -> Caller:
        verdict = await self._find(_hashed(header)) if _key(header) else _UNKNOWN
        caller = self._judge(verdict)
        if caller is None:
            raise _unauthenticated()
        return caller

    async def _while_good(self, hashed: bytes, proceed: Proceed) -> bytes:
        """Lets a stream go on until its key ends; what it has sent or changed by then stands."""
        limit = asyncio.timeout(None)
        watching = asyncio.create_task(self._end_with_key(hashed, limit))
        try:
            async with limit:
                return await proceed()
        except TimeoutError:
            if limit.expired():
                raise watching.result() from None
            raise
        finally:
            watching.cancel()

    async def _end_with_key(self, hashed: bytes, limit: asyncio.Timeout) -> Refusal:
        """Ends what has that limit once the key opens nothing any more, or nobody can tell; returns the refusal."""
        why = await self._watch(hashed)
        limit.reschedule(asyncio.get_running_loop().time())
        return why

    async def _watch(self, hashed: bytes) -> Refusal:
        """Asks about a key for as long as it is good; returns why a stream may not go on."""
        failures = 0
        while failures < _MOST_FAILURES:
            try:
                seconds, failures = await self._stands_for(hashed), 0
            except Exception as error:
                # Whatever it is, a stream nobody watches would outlive its key. The text may hold what was asked with.
                _log.error("a stream's key could not be checked", extra={"error": type(error).__name__})
                seconds, failures = self._again_seconds, failures + 1
            if seconds is None:
                return _unauthenticated()
            await asyncio.sleep(seconds)  # noqa: TID251  # cancelled when the stream ends
        return Unavailable("API_KEY_UNCHECKED", "Whether the key is still good could not be found out; try again.")

    async def _stands_for(self, hashed: bytes) -> float | None:
        """Returns after how many seconds to ask again about a key, as calls would; None once it opens nothing."""
        try:
            verdict = await self._find(hashed)
        except Unavailable:
            return self._again_seconds  # nobody is cut off before it is known
        if self._judge(verdict) is None:
            return None
        return verdict.known_at + self._remembered_seconds - self._clock.monotonic()

    def _judge(self, verdict: _Verdict) -> Caller | None:
        key = verdict.key
        # Only for a key that may have ended since it was found is the calendar read: on the way of each hit, 2 µs.
        is_over = key is not None and key.expire_time is not None and not key.is_valid(self._clock.now())
        return verdict.caller if not is_over else None

    def _recall(self, hashed: bytes, now: float) -> _Verdict | None:
        known = self._verdicts.get(hashed)
        return known if known is not None and now - known.known_at < self._remembered_seconds else None

    async def _find(self, hashed: bytes) -> _Verdict:
        now = self._clock.monotonic()
        known = self._recall(hashed, now)
        if known is not None:
            return known
        async with self._store.connection() as rooms:
            key = await rooms.api_keys.find(hashed)
        # As old as its question: a key may be revoked before the answer is read.
        verdict = _verdict(key, at=self._clock.now(), known_at=now)
        self._remember(hashed, verdict)
        return verdict

    def _remember(self, hashed: bytes, verdict: _Verdict) -> None:
        self._verdicts[hashed] = verdict
        self._verdicts.move_to_end(hashed)
        if len(self._verdicts) > _REMEMBERED_KEYS:
            self._verdicts.popitem(last=False)


def _verdict(key: ApiKey | None, *, at: datetime, known_at: float) -> _Verdict:
    if key is None or not key.is_valid(at):
        return _Verdict(key, None, known_at)
    roles = tuple(role for role in Role if key.role.may_act_as(role))
    caller = Caller(api_key_id=key.id, role=key.role)
    return _Verdict(key, caller, known_at, roles, may_end=key.expire_time is not None)


def _unauthenticated() -> Unauthenticated:
    """Missing, unknown, expired and revoked look the same from outside."""
    return Unauthenticated("API_KEY_INVALID", "The call carries no valid API key.")


def _key(header: str) -> str:
    return header[len(_SCHEME) :].strip() if header[: len(_SCHEME)].lower() == _SCHEME else ""


@lru_cache(maxsize=_REMEMBERED_HEADERS)
def _hashed(header: str) -> bytes:
    """Returns what a key is known by; made once for the callers of late, since it costs a third of a hit's checks.

    So this process holds the headers of those callers, as gRPC does while it answers; no row, log or repr does.
    """
    return key_hash(_key(header))
