"""Signals that would end us without a word, made to end us tidily."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)
_ANY = (signal.SIGINT, *_ENDING)


@contextmanager
def as_exceptions() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into SystemExit inside the block, so that what was started is stopped.

    Does nothing outside the main thread, and leaves alone what somebody else already handles. Ctrl-C works even where
    a shell that put us in the background had it ignored: nobody else would stop what was started.
    """
    ignored = tuple(each for each in (signal.SIGINT,) if signal.getsignal(each) is signal.SIG_IGN)
    default = tuple(each for each in _ENDING if _is_default(each))
    with _handled(ignored, signal.default_int_handler), _handled(default, _leave):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """Ignores Ctrl-C and requests to end inside the block: we are ending already."""
    with _handled(_ANY, signal.SIG_IGN):
        yield


@contextmanager
def _handled(signals: tuple[signal.Signals, ...], handler: "signal._HANDLER") -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, handler) for each in signals}
    try:
        yield
    finally:
        for each, former in before.items():
            signal.signal(each, former)


def _is_default(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_DFL


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
