"""What runs of pumps left on the wire, waited for beside the tasks that send: a number whose calls hang holds none."""

import asyncio
from collections.abc import Coroutine


class Drains:
    """Keeps the ends of runs: each waits for its calls and settles what became of them."""

    def __init__(self) -> None:
        """Keeps nothing yet."""
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, end: Coroutine[None, None, None]) -> None:
        """Lets a run's end go on by itself."""
        _ = self._begin(end)

    async def see_through(self, end: Coroutine[None, None, None]) -> None:
        """Waits for a run's end that nothing cuts short: it goes on by itself if who waits is cancelled."""
        await asyncio.shield(self._begin(end))

    async def finish(self) -> None:
        """Waits until all that was left is settled; the ends themselves heed the grace of a process that stops."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _begin(self, end: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(end)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
