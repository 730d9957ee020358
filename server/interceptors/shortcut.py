"""The short way of a reply that this process remembers: what the chain would say, with nothing made for the call.

Not even an id, the one thing the chain says and this way does not: no line of a log tells of such a call, so that only
an id that the caller brought names anything.

The chain costs several times what such a reply costs otherwise. It has to look at every call that waits, is refused or
gets a log line; the rest is asked here the same things in the same order, and a deadline has nothing to bound.
"""

from collections.abc import Sequence

from server.interceptors.auth import Auth
from server.interceptors.base import Context, Interceptor, Metadata, Shortcut
from server.interceptors.cache import GENERATIONS, OUTCOME, Caching
from server.interceptors.telemetry import REQUEST_ID, Telemetry
from server.policies import Policy

_HIT = ((OUTCOME, "hit"),)


class _Way:
    """Answers the calls of one method that need neither waiting nor a word with the caller."""

    __slots__ = ("_ended", "_method", "_now", "_recall_hit", "_remembers", "_request_id", "_role", "_tells")

    def __init__(self, method: str, policy: Policy, *, telemetry: Telemetry, auth: Auth, caching: Caching) -> None:
        """Takes what it asks of each, so that nothing has to be found anew for a call."""
        self._method = method
        self._role = policy.role
        self._tells = telemetry.tells_hits
        self._now = telemetry.now
        self._request_id = telemetry.request_id
        self._ended = telemetry.hits_of(method)
        self._remembers = auth.remembers
        self._recall_hit = caching.recall_hit

    def answer(self, raw: bytes, metadata: Metadata, context: Context) -> bytes | None:
        """Returns the remembered reply, its trailing metadata set; None, and nothing done, if the chain must look."""
        if self._tells():
            return None
        start = self._now()
        # Of a name sent twice, the first counts. What dict() makes of gRPC's named pairs takes up to twice as long.
        headers = {name: value for name, value in reversed(metadata)}  # noqa: C416
        if self._role is not None and not self._remembers(headers.get("authorization", ""), self._role, start):
            return None
        if "cache-control" in headers:
            return None
        reply = self._recall_hit(self._method, raw, headers.get(GENERATIONS, ""), start)
        if reply is not None:
            brought = headers.get(REQUEST_ID)
            context.set_trailing_metadata((*_HIT, (REQUEST_ID, self._request_id(brought))) if brought else _HIT)
            self._ended(self._now() - start)
        return reply


def shortcut(chain: Sequence[Interceptor]) -> Shortcut | None:
    """Returns the short way past this chain, for each method; None where it keeps no replies."""
    found = {type(interceptor): interceptor for interceptor in chain}
    telemetry, auth, caching = found.get(Telemetry), found.get(Auth), found.get(Caching)
    if not (isinstance(telemetry, Telemetry) and isinstance(auth, Auth) and isinstance(caching, Caching)):
        return None
    return lambda method, policy: _Way(method, policy, telemetry=telemetry, auth=auth, caching=caching).answer
