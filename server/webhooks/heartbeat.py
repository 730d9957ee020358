"""The door's pulse: a row for each second in which it was up, so that silence about a message can mean something."""

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from core.cancellation import end
from core.repositories.rooms import Store
from server.webhooks.bounded import within

_log = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 5.0


class Heartbeat:
    """Beats each second while it is entered and the database answers; use as an async context manager."""

    def __init__(self, *, store: Store, beat_seconds: float = _BEAT_SECONDS) -> None:
        self._store = store
        self._beat_seconds = beat_seconds
        self._task: asyncio.Task[None] | None = None
        self.is_heard = False

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            await self._beat()
            await asyncio.sleep(self._beat_seconds)  # noqa: TID251  # cancelled when the door closes

    async def _beat(self) -> None:
        try:
            await within(_TIMEOUT_SECONDS, self._note())
        except Exception as error:  # no beat is the message; the pulse itself must go on
            if self.is_heard:
                _log.warning("the door's heart stopped", extra={"error": type(error).__name__})
            self.is_heard = False
        else:
            self.is_heard = True

    async def _note(self) -> None:
        async with self._store.connection() as rooms:
            await rooms.deliveries.beat()
