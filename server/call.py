"""The call being served, as its own context knows it: the interceptors fill it, services hardly need it."""

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass, field

from google.protobuf.message import Message

from core.domain.access import Caller
from core.domain.errors import Unauthenticated
from server.policies import OPEN, Policy


def _accept(_message: Message) -> None:
    """Takes any message; validation puts its own check in this place."""


@dataclass(slots=True, kw_only=True)
class Call:
    """Carries what one call is known to be; lives as long as the call does."""

    method: str
    policy: Policy = OPEN
    metadata: Sequence[tuple[str, str | bytes]] = ()
    is_unary: bool = True
    raw: bytes = b""
    time_remaining: float | None = None
    request_id: str = ""
    caller: Caller | None = None
    final: bool = False
    check: Callable[[Message], None] = _accept
    outdated: set[str] = field(default_factory=set)
    trailing: dict[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Returns the first text the caller sent under that lower-case name, or an empty one."""
        for key, value in self.metadata:
            if key == name and isinstance(value, str):
                return value
        return ""


_current: ContextVar[Call] = ContextVar("call")


def current_call() -> Call:
    """Returns the call being served; raises LookupError outside any."""
    return _current.get()


def current_caller() -> Caller:
    """Returns whose call is being served; refuses with ``API_KEY_INVALID`` where nobody is known."""
    caller = current_call().caller
    if caller is None:
        raise Unauthenticated("API_KEY_INVALID", "The call carries no valid API key.")
    return caller


def mark_final() -> None:
    """Says that the reply will hardly change any more, so that it may be cached for its longer time."""
    call = _current.get(None)
    if call is not None:
        call.final = True


def note_outdated(collections: Iterable[str]) -> None:
    """Notes what the call changed beside what its policy says; what is no call's doing is nobody's to be told."""
    call = _current.get(None)
    if call is not None:
        call.outdated.update(collections)


def enter(call: Call) -> Token[Call]:
    """Makes this the call being served here."""
    return _current.set(call)


def leave(token: Token[Call]) -> None:
    """Ends what ``enter`` began."""
    _current.reset(token)
