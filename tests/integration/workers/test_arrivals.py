"""The limit where WhatsApp counts it: at its own door, also when its process is held up again and again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.domain.arrivals import Arrivals
from stack.process import Process
from tests.helpers.processes import Processes, freeze, thaw
from tests.helpers.sending import SENDER, TOKEN, numbers, planned, variables
from tests.helpers.workers import busy_worker

_LIMIT = 200
_MESSAGES = 1000
_EVERY_SECONDS = 1.3
_STALL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Door:
    """A simulator in a process of its own."""

    process: Process
    url: str

    async def most_in_a_second(self) -> int:
        """Returns the most messages accepted in any window of a second."""
        return int((await self._get("pace"))["numbers"][SENDER]["most_in_any_window"])

    async def accepted(self) -> int:
        """Returns how many messages were accepted."""
        return int((await self._get("summary"))["accepted"])

    async def stumble(self) -> None:
        """Stands still for a moment, again and again, until everything has arrived."""
        while await self.accepted() < _MESSAGES:
            await asyncio.sleep(_EVERY_SECONDS)  # noqa: TID251  # between two faults
            freeze(self.process)
            await asyncio.sleep(_STALL_SECONDS)  # noqa: TID251  # the fault itself
            thaw(self.process)

    async def _get(self, path: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/_sim/{path}") as reply:
            return dict(await reply.json())


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    settings = {"SIMULATOR_PROFILE": "fast", "SIMULATOR_ACCESS_TOKEN": TOKEN}
    with Processes(directory=tmp_path, settings={}) as processes:
        process, url = await asyncio.to_thread(processes.start_simulator, settings=settings)
        yield Door(process, url)


@pytest.mark.parametrize("guarded", [True, False])
async def test_what_a_stall_held_up_makes_no_second_that_holds_more_than_the_limit(
    fresh_database_url: str, queue_url: str, door: Door, guarded: bool
) -> None:
    given = variables(database_url=fresh_database_url, queue_url=queue_url, whatsapp_url=door.url)
    async with planned(fresh_database_url, numbers(_MESSAGES), per_second=_LIMIT) as plan, busy_worker(given) as worker:
        if not guarded:
            worker.engine.arrivals[plan.sender_id] = _Unguarded(_LIMIT)
        async with asyncio.timeout(60):
            await door.stumble()
        most = await door.most_in_a_second()
    # While other processes take the machine, usual answers vary by some milliseconds, and as much hides behind them.
    assert most <= _LIMIT * 1.02 if guarded else most > _LIMIT * 1.1


class _Unguarded(Arrivals):
    """The control: lets every message depart at its slot, as if arrivals were as even as departures."""

    def opening(self, *, now: float) -> float:
        return now
