"""Hears who says stop where no bell is heard: every worker looks, each a few times a second."""

import logging
from uuid import UUID

from core.domain.errors import Unavailable
from workers.engine import Engine
from workers.tasks.urgent import apply_urgent
from workers.waiting import rest

_log = logging.getLogger(__name__)

# A stop counts within a second, and the worker that its ring came to may be frozen, as may be the keeper: two looks and
# the work itself fit in.
_LOOK_SECONDS = 0.2
# What somebody else holds, and a database that is away, are asked about as seldom as the keeper does.
_AGAIN_SECONDS = 1.0


class StopsWatch:
    """Applies what a person may say stop in once it has waited from one look to the next."""

    def __init__(self, *, engine: Engine) -> None:
        """Takes whose rows to look at."""
        self._engine = engine
        # What waited first when last looked at.
        self._head: UUID | None = None

    async def run(self) -> None:
        """Looks until the process stops."""
        seconds = _LOOK_SECONDS
        while not await rest(self._engine.stopping, seconds):
            try:
                seconds = _AGAIN_SECONDS if await self.look() else _LOOK_SECONDS
            except Unavailable:
                seconds = _AGAIN_SECONDS  # the keeper says so
            except Exception:
                _log.exception("nobody looked whether somebody said stop")
                seconds = _AGAIN_SECONDS

    async def look(self) -> bool:
        """Applies what waits if it waited at the last look; returns whether it did."""
        async with self._engine.store.connection() as rooms:
            head = await rooms.deliveries.find_urgent_head()
        is_left = head is not None and head == self._head
        self._head = head
        if is_left:
            await apply_urgent(self._engine)
        return is_left
