"""One run: everything started, a campaign under faults, and the judgement."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from chappe_client import Chappe

from core.clock import Clock, SystemClock
from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack.stack import Stack
from tests.chaos import campaign, checker, workers
from tests.chaos.caller import Caller
from tests.chaos.campaign import Running
from tests.chaos.checker import Verdict
from tests.chaos.faults import API, DATABASE, DOOR, QUEUE, Field
from tests.chaos.killer import Injection, Killer
from tests.chaos.plans import Plan
from tests.chaos.supervisor import Supervisor
from tests.chaos.truth import Truth
from tests.helpers.walk import SENDER_ID

_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run did and what it came to; `settle_seconds` from the last fault until nothing was left to happen."""

    plan: Plan
    seed: int
    verdict: Verdict
    injections: tuple[Injection, ...]
    lost_answers: int
    doubled_webhooks: int
    late_webhooks: int
    calls: int
    failed_calls: tuple[str, ...]
    restarts: int
    fault_seconds: float
    settle_seconds: float | None


def run(plan: Plan, *, seed: int, without: str = "", keep: Path | None = None, say: Callable[[str], None]) -> Outcome:
    """Runs one campaign under faults; raises TimeoutError after the plan's deadline. `keep` is a folder for logs."""
    simulated = {"SIMULATOR_PROFILE": "fast"}
    with Stack(directory=keep, workers=0, settings=plan.settings, simulator_settings=simulated) as stack:
        return asyncio.run(_within_deadline(_Run(plan=plan, seed=seed, without=without, stack=stack, say=say)))


async def _within_deadline(one: "_Run") -> Outcome:
    async with asyncio.timeout(one.plan.deadline):
        return await one.go()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    plan: Plan
    seed: int
    without: str
    stack: Stack
    say: Callable[[str], None]
    clock: Clock = field(default_factory=SystemClock)

    async def go(self) -> Outcome:
        names = self._start_workers()
        async with self._client() as client, self._truth() as truth, self._supervised(names) as supervisor:
            await truth.set_conditions(self.plan.conditions, lost_answer_rate=self.plan.lost_answer_rate)
            running = await campaign.start(client, self.plan)
            self.say(f"a campaign to {len(running.contacts):,} contacts is under way; faults begin")
            ground = Field(
                plan=self.plan, stack=self.stack, supervisor=supervisor, workers=names, chance=random.Random(self.seed)
            )
            return await self._break_and_judge(ground, client, truth, running)

    async def _break_and_judge(self, ground: Field, client: Chappe, truth: Truth, running: Running) -> Outcome:
        killer = Killer(ground=ground, clock=self.clock)
        caller = Caller(client=client, campaign=running.campaign.name)
        began = self.clock.monotonic()
        async with _beside(caller.run()):
            await killer.run(lambda: self._is_nearly_sent(truth, running))
            lost_answers = await truth.stop_losing_answers()
        last_fault = self.clock.monotonic()
        self.say(f"no faults any more after {last_fault - began:.0f} s; judging within {2 * self.plan.grace:.0f} s")
        settle_seconds = await self._settle(truth, running, since=last_fault)
        doubled, late = await truth.disordered_webhooks()
        return Outcome(
            plan=self.plan,
            seed=self.seed,
            verdict=await checker.judge(self.stack, client, truth, running),
            injections=tuple(killer.injections),
            lost_answers=lost_answers,
            doubled_webhooks=doubled,
            late_webhooks=late,
            calls=caller.calls,
            failed_calls=tuple(caller.failures),
            restarts=ground.supervisor.restarts,
            fault_seconds=last_fault - began,
            settle_seconds=settle_seconds,
        )

    async def _is_nearly_sent(self, truth: Truth, running: Running) -> bool:
        return await truth.accepted_contacts() >= len(running.contacts) * self.plan.faults_end_at

    async def _settle(self, truth: Truth, running: Running, *, since: float) -> float | None:
        """Waits until nothing is left to happen, at most two graces."""
        while (waited := self.clock.monotonic() - since) < 2 * self.plan.grace:
            if await checker.is_settled(self.stack, truth, running):
                return waited
            await asyncio.sleep(_LOOK_SECONDS)
        return None

    def _start_workers(self) -> tuple[str, ...]:
        commands = workers.commands(
            self.plan.workers,
            directory=self.stack.directory,
            settings=self.stack.settings,
            without=self.without,
        )
        for process in [self.stack.launch(command) for command in commands]:
            process.wait_ready()
        return tuple(command.name for command in commands)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Chappe]:
        async with Database(url=self.stack.servers.postgres.url(), pool_size=1) as database:
            key = await create_key(Store(database), role="ADMIN", display_name="chaos")
        async with Chappe(self.stack.api_address, key=key) as client:
            yield client

    @asynccontextmanager
    async def _truth(self) -> AsyncIterator[Truth]:
        async with aiohttp.ClientSession(base_url=f"{self.stack.simulator_url}/_sim/") as session:
            yield Truth(session, phone_number_id=SENDER_ID)

    @asynccontextmanager
    async def _supervised(self, names: tuple[str, ...]) -> AsyncIterator[Supervisor]:
        supervisor = Supervisor(clock=self.clock)
        for name in (*names, API, DOOR):
            supervisor.watch(name, self.stack.processes[name])
        supervisor.watch(QUEUE, self.stack.servers.queue.process)
        supervisor.watch(DATABASE, self.stack.servers.postgres.process)
        async with _beside(supervisor.run()):
            yield supervisor


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Does something while the block runs; what fails beside the block fails after it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
