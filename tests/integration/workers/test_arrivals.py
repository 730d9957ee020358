"""The limit where WhatsApp counts it: at its own door, also when processes are held up, killed and frozen."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.domain.arrivals import Arrivals
from stack.process import Process
from tests.helpers.eventually import eventually
from tests.helpers.processes import Processes, freeze, thaw
from tests.helpers.sending import SENDER, TOKEN, numbers, planned, variables
from tests.helpers.workers import busy_worker

_LIMIT = 200
_MESSAGES = 1000
_EVERY_SECONDS = 1.3
_STALL_SECONDS = 0.3
# Longer than a pump's lease: the other worker begins to send, and what the frozen one held ready leaves beside it.
_FREEZE_SECONDS = 12
_KILLED_MESSAGES = 2400
_JITTER = {"timeline": {"latency_median": 0.02, "latency_p99": 0.1}}


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

    async def vary(self) -> None:
        """Answers after 10 to 100 ms from now on."""
        async with (
            aiohttp.ClientSession() as session,
            session.patch(f"{self.url}/_sim/settings", json=_JITTER) as reply,
        ):
            assert reply.status == 200

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


@dataclass(frozen=True, slots=True)
class Pair:
    """Two workers, of which one sends; every fault strikes both, so it strikes the one that sends."""

    processes: Processes
    workers: list[Process]

    async def strike(self, victim: int) -> None:
        """Kills one worker and starts another in its place while the other one is frozen."""
        other = self.workers[1 - victim]
        freeze(other)
        self.workers[victim].kill()
        # However long the start takes, or most would be sent before the next strike.
        self.workers[victim], _ = await asyncio.gather(
            asyncio.to_thread(self.processes.start, "worker", name=f"worker-{victim}"),
            asyncio.sleep(_FREEZE_SECONDS),  # noqa: TID251  # the fault itself
        )
        thaw(other)


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
    assert most <= _LIMIT if guarded else most > _LIMIT * 1.1


async def test_nor_does_a_second_of_a_number_whose_workers_are_killed_and_frozen(
    fresh_database_url: str, queue_url: str, door: Door, tmp_path: Path
) -> None:
    given = variables(database_url=fresh_database_url, queue_url=queue_url, whatsapp_url=door.url)
    await door.vary()
    async with planned(fresh_database_url, numbers(_KILLED_MESSAGES), per_second=_LIMIT) as plan:
        with Processes(directory=tmp_path, settings={**given, "CHAPPE_LEASE_SECONDS": "30"}) as processes:
            names = ("worker-0", "worker-1")
            pair = Pair(processes, [await asyncio.to_thread(processes.start, "worker", name=name) for name in names])
            for victim in (0, 1):
                before = await door.accepted()
                await eventually(partial(_more, door, before + _LIMIT), 30)
                await pair.strike(victim)
            await eventually(lambda: plan.value("count(*) FILTER (WHERE state = 'PENDING') = 0"), 40)
        assert await door.accepted() > _KILLED_MESSAGES * 0.8
        assert await door.most_in_a_second() <= _LIMIT


async def _more(door: Door, count: int) -> bool:
    return await door.accepted() >= count


class _Unguarded(Arrivals):
    """The control: lets every message depart at its slot, as if arrivals were as even as departures."""

    def opening(self, *, now: float) -> float:
        return now
