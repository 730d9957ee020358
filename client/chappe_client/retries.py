"""client: which failed calls are made again, and when."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import betterproto2

from chappe_client.errors import ChappeError, Conflict, LimitReached, Unavailable, WrongState

Q = TypeVar("Q", bound=betterproto2.Message)


class Page(Protocol):
    """Is a reply that another may follow."""

    next_page_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Says how often and after how long a call is made again; times in seconds.

    Unavailable is always worth another try. A conflict, a reached limit or a wrong state is only when the server says
    when to come back: one without that is somebody's decision to make.
    """

    attempts: int = (
        12  # with these delays about as long as the deadline of a call: a server that restarts is back by then
    )
    first_delay: float = 0.1
    longest_delay: float = 2.0
    jitter: Callable[[], float] = field(default=secrets.SystemRandom().random)

    def delay(self, error: ChappeError, *, attempt: int) -> float | None:
        """Returns how long to wait before the next attempt, or None when there is none."""
        if attempt >= self.attempts or not _may_help(error):
            return None
        return (error.retry_delay or 0.0) + self.backoff(attempt)

    def backoff(self, failures: int) -> float:
        """Returns how long to wait after so many failures in a row: doubling, and never twice the same."""
        full: float = min(self.longest_delay, self.first_delay * 2 ** (failures - 1))
        return full * (0.5 + 0.5 * self.jitter())


def _may_help(error: ChappeError) -> bool:
    if isinstance(error, Conflict | LimitReached | WrongState):
        return error.retry_delay is not None
    return isinstance(error, Unavailable)


def with_request_id(request: Q) -> Q:
    """Returns the request with a request id if it takes one and has none, so that repeating it is safe."""
    if getattr(request, "request_id", None) != "":
        return request
    return _copy(request, request_id=new_request_id())


def next_page(request: Q, token: str) -> Q | None:
    """Returns the request for the next page, or None after the last."""
    return _copy(request, page_token=token) if token else None


def new_request_id() -> str:
    """Returns an id no other request has."""
    return secrets.token_hex(16)


def _copy(request: Q, **changes: str) -> Q:
    copy = type(request).parse(bytes(request))
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy
