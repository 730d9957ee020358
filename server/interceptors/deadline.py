"""A deadline for every unary call, a little before the caller's own, and a gentle end for watches."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

from server.call import Call
from server.interceptors.base import Proceed

_WATCH_SECONDS = 300.0
_SHAVED_SECONDS = 0.02
_LARGEST_SHARE = 0.1
_LAST_WORD_SECONDS = 0.1  # for a watch to send what it was just told


class DeadlinePassed(Exception):
    """Says that the work took longer than its caller would wait."""


class Deadline:
    """Ends unary calls in time to say so, and watches after five minutes with OK, to be called again."""

    def __init__(self, *, default_seconds: float, watch_seconds: float = _WATCH_SECONDS) -> None:
        self._default_seconds = default_seconds
        self._watch_seconds = watch_seconds
        self._watches: set[asyncio.Timeout] = set()

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Cancels what takes too long; other streams (imports, exports) take as long as their callers let them."""
        if call.is_unary:
            return await self._unary(call, proceed)
        if call.method.rpartition("/")[2].startswith("Watch"):
            return await self._watch(call, proceed)
        return await proceed()

    def end_watches(self) -> None:
        """Ends all watches with OK: nobody waits for them when the process stops."""
        for limit in self._watches:
            limit.reschedule(asyncio.get_running_loop().time() + _LAST_WORD_SECONDS)

    def _seconds(self, call: Call) -> float:
        if call.time_remaining is None:
            return self._default_seconds
        return call.time_remaining - min(_SHAVED_SECONDS, call.time_remaining * _LARGEST_SHARE)

    async def _unary(self, call: Call, proceed: Proceed) -> bytes:
        """Sets a timer only once the call waits for something: setting one costs more than all of a hit."""
        work = proceed()
        try:
            awaited = work.send(None)
        except StopIteration as done:
            return bytes(done.value)
        return await self._bounded(asyncio.timeout(self._seconds(call)), lambda: _resumed(work, awaited))

    async def _bounded(self, limit: asyncio.Timeout, proceed: Proceed) -> bytes:
        try:
            async with limit:
                return await proceed()
        except TimeoutError:
            if limit.expired():
                raise DeadlinePassed from None
            raise

    async def _watch(self, call: Call, proceed: Proceed) -> bytes:
        limit = asyncio.timeout(None if call.method.startswith("/grpc.") else self._watch_seconds)
        self._watches.add(limit)
        try:
            return await self._bounded(limit, proceed)
        except DeadlinePassed:
            return b""
        finally:
            self._watches.discard(limit)


@types.coroutine
def _resumed(work: Coroutine[Any, Any, bytes], awaited: object) -> Generator[Any, Any, bytes]:
    """Does what ``await`` would with a coroutine that has already come to what it awaits."""
    try:
        while True:
            try:
                answer = yield awaited
            except BaseException as error:  # the work's to handle, GeneratorExit and cancellation too
                awaited = work.throw(error)
            else:
                awaited = work.send(answer)
    except StopIteration as done:
        return bytes(done.value)
