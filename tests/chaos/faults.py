"""The faults, each a few lines: what is done to which process, and when that is over."""

import asyncio
import random
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType

import psutil

from stack.stack import Stack
from tests.chaos import plans
from tests.chaos.plans import Plan
from tests.chaos.supervisor import Supervisor

API, DOOR, QUEUE, DATABASE = "api-1", "webhooks", "queue", "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What faults act on; `frozen` are the workers that stand still just now."""

    plan: Plan
    stack: Stack
    supervisor: Supervisor
    workers: tuple[str, ...]
    chance: random.Random
    frozen: set[str] = field(default_factory=set)

    def some_worker(self) -> str:
        """Returns a worker that is not frozen; as often as the plan aims, one that sends."""
        aimed = self._sending() if self.chance.random() < self.plan.aim else []
        return self.chance.choice(aimed or self._awake())

    def is_possible(self, fault: str) -> bool:
        """Tells whether a fault can strike now: one worker at least stays awake, and who is always aimed at sends."""
        if fault != plans.WORKER_FROZEN:
            return True
        return len(self._awake()) > 1 and (self.plan.aim < 1 or bool(self._sending()))

    def _awake(self) -> list[str]:
        return [name for name in self.workers if name not in self.frozen]

    def _sending(self) -> list[str]:
        return [name for name in self._awake() if self._sends(name)]

    def _sends(self, name: str) -> bool:
        """Whoever sends has connections to WhatsApp."""
        process = self.supervisor.process(name)
        if not process.is_running():
            return False
        with suppress(psutil.Error):
            open_now = psutil.Process(process.pid).net_connections("tcp4")
            return any(each.raddr and each.raddr.port == self.stack.simulator_port for each in open_now)
        return False


async def kill_worker(ground: Field) -> None:
    """A worker dies; what it had claimed falls into doubt."""
    await _kill(ground, ground.some_worker())


async def kill_api(ground: Field) -> None:
    """The gRPC door dies."""
    await _kill(ground, API)


async def kill_door(ground: Field) -> None:
    """The webhook door dies; WhatsApp delivers again."""
    await _kill(ground, DOOR)


async def hold_door(ground: Field) -> None:
    """The webhook door stays away for longer than the grace."""
    ground.supervisor.held.add(DOOR)
    ground.supervisor.kill(DOOR)
    await asyncio.sleep(ground.plan.door_down)
    ground.supervisor.held.discard(DOOR)
    await ground.supervisor.up_again(DOOR)


async def freeze_worker(ground: Field) -> None:
    """A worker stands still, as a machine does that swaps or migrates; it wakes believing that no time has passed."""
    name = ground.some_worker()
    process = ground.supervisor.process(name)
    ground.frozen.add(name)
    process.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(ground.plan.freeze)
    finally:
        process.send(signal.SIGCONT)
        ground.frozen.discard(name)


async def empty_queue(ground: Field) -> None:
    """The queue's server dies and comes back without anything it knew: wake-ups, pace."""
    ground.supervisor.kill(QUEUE)
    shutil.rmtree(ground.stack.directory / QUEUE / "appendonlydir", ignore_errors=True)
    await ground.supervisor.up_again(QUEUE)


async def restart_database(ground: Field) -> None:
    """PostgreSQL stops at once, without a checkpoint, and recovers."""
    process = ground.supervisor.process(DATABASE)
    pid = process.pid
    process.send(signal.SIGQUIT)
    ground.supervisor.expect(DATABASE)
    while process.pid == pid and process.is_running():
        await asyncio.sleep(0.02)
    await ground.supervisor.up_again(DATABASE)


async def _kill(ground: Field, name: str) -> None:
    ground.supervisor.kill(name)
    await ground.supervisor.up_again(name)


FAULTS: Mapping[str, Callable[[Field], Awaitable[None]]] = MappingProxyType(
    {
        plans.WORKER_KILLED: kill_worker,
        plans.WORKER_FROZEN: freeze_worker,
        plans.API_KILLED: kill_api,
        plans.DOOR_KILLED: kill_door,
        plans.DOOR_DOWN: hold_door,
        plans.QUEUE_EMPTIED: empty_queue,
        plans.DATABASE_RESTARTED: restart_database,
    }
)
