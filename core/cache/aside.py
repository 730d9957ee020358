"""Work for the cache's server that no caller waits for."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from core.cancellation import end

# Each may hold a reply of a quarter of a MiB.
_MOST = 64
_LAST_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Aside:
    """Does work beside the calls, so much at once and no more; what is too much is left out, to be a later call's."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self, work: Callable[[], Coroutine[Any, Any, None]], *, is_small: bool = False
    ) -> asyncio.Task[None] | None:
        """Starts work and returns its task; None, and nothing started, while too much is under way (if not small)."""
        if len(self._tasks) >= _MOST and not is_small:
            return None
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self) -> None:
        """Waits half a second at most for what is under way, and ends the rest."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=_LAST_SECONDS)
        for task in late:
            await end(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("a reply could not be kept, by a mistake of ours", exc_info=error)
