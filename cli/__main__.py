"""The `chappe` command."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_INTERRUPTED = 130


def main() -> None:
    """Runs the command line; Ctrl-C ends it with 130, and without a word where the command itself has none."""
    try:
        with _leaving_at_once():
            from cli.app import app  # noqa: PLC0415 - takes most of a second, in which somebody may change their mind
        app()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


@contextmanager
def _leaving_at_once() -> Iterator[None]:
    """Ends the process at Ctrl-C inside the block: nothing has begun, and code that is being loaded may catch anything.

    Whoever started us with Ctrl-C ignored is heeded.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    yield
    signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
