"""Outermost: gives each call its request id, measures it, and tells in a log line how it ended, save for hits."""

import asyncio
import logging
import re
from collections.abc import Callable
from functools import partial

import grpc

from core import telemetry
from core.clock import Clock
from core.metrics import RpcMetrics
from server.call import Call
from server.interceptors.base import Aborted, Proceed
from server.interceptors.cache import OUTCOME

_log = logging.getLogger(__name__)
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{8,64}")
REQUEST_ID = "x-request-id"


class Telemetry:
    """Sees every final code, refusals included."""

    def __init__(self, *, clock: Clock, make_id: Callable[[], str], metrics: RpcMetrics) -> None:
        self._metrics = metrics
        # Plain functions, for whoever answers without the chain: a method around each would cost as much again.
        self.now = clock.monotonic
        self._make_id = make_id
        self.tells_hits = partial(_log.isEnabledFor, logging.DEBUG)

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Lets the call pass, names it, times it, and returns its id to the caller."""
        call.request_id = self.request_id(call.header(REQUEST_ID))
        call.trailing[REQUEST_ID] = call.request_id
        start = self.now()
        code = grpc.StatusCode.UNKNOWN
        with telemetry.request(call.request_id):
            try:
                reply = await proceed()
            except Aborted as aborted:
                code = aborted.code
                raise
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED
                raise
            else:
                code = grpc.StatusCode.OK
                return reply
            finally:
                self._note(call, code, self.now() - start)

    def hits_of(self, method: str) -> Callable[[float], None]:
        """Returns what notes how many seconds a call of that method took that was answered at once."""
        return self._metrics.of(method, "OK")

    def request_id(self, brought: str) -> str:
        """A sane id from the caller is kept, so that one id runs through all services; an odd one could forge logs."""
        return brought if brought and _SANE_ID.fullmatch(brought) else self._make_id()

    def _note(self, call: Call, code: grpc.StatusCode, seconds: float) -> None:
        self._metrics.ended(call.method, code.name, seconds)
        level = _level(call)
        if not _log.isEnabledFor(level):
            return
        facts = {"method": call.method, "code": code.name, "duration_ms": round(seconds * 1000, 1)}
        if OUTCOME in call.trailing:
            facts["cache"] = call.trailing[OUTCOME]
        _log.log(level, "call", extra=facts)


def _level(call: Call) -> int:
    # A reply from the cache is counted by the cache; a line about it would cost more than the reply.
    is_usual = call.method.startswith("/grpc.") or call.trailing.get(OUTCOME) == "hit"
    return logging.DEBUG if is_usual else logging.INFO
