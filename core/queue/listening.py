"""What both kinds of bells do alike: what they keep of rings, how one is answered, when a server is tried again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)

# A ring only says that there is work: the oldest ones may be trimmed away.
MAX_LENGTH = 10_000
# What nobody answered so often is given up: the keeper finds its work.
MAX_DELIVERIES = 5
_LEAST_SECONDS = 0.1
_MOST_SECONDS = 2.0


class Backoff:
    """Waits longer after each failure in a row; not all of the listeners come back in the same moment."""

    def __init__(self, luck: Callable[[], float]) -> None:
        """Takes a source of numbers in [0, 1)."""
        self._luck = luck
        self._seconds = _LEAST_SECONDS

    def reset(self) -> None:
        """Notes that the bell was heard."""
        self._seconds = _LEAST_SECONDS

    async def wait(self) -> None:
        """Waits before the bell is tried again."""
        await asyncio.sleep(self._seconds * (0.5 + self._luck()))  # noqa: TID251  # cancelled when the worker stops
        self._seconds = min(_MOST_SECONDS, self._seconds * 2)


def tell_unheard(error: Exception) -> None:
    """Says that the bell cannot be heard, and why."""
    _log.warning("the bell cannot be heard", extra={"error": type(error).__name__})


def acknowledgement(
    answer: Callable[[], Awaitable[object]], *, faults: tuple[type[Exception], ...]
) -> Callable[[], Awaitable[None]]:
    """Returns what answers a ring once its work is done; never raises one of the faults."""

    async def acknowledge() -> None:
        try:
            await answer()
        except faults as error:
            # It will ring once more, which is harmless.
            _log.warning("a ring could not be acknowledged", extra={"error": type(error).__name__})

    return acknowledge
