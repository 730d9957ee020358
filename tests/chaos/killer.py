"""Injects faults at random: each kind once in a random order first, then any, until the campaign is nearly sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from core.clock import Clock
from tests.chaos.faults import FAULTS, Field
from tests.chaos.plans import WEIGHTS


@dataclass(slots=True, kw_only=True)
class Injection:
    """One fault that was injected: when (Unix time), and after how many seconds its process answered again."""

    fault: str
    time: float
    seconds: float | None = None


class Killer:
    """Keeps the list of what it did."""

    def __init__(self, *, ground: Field, clock: Clock) -> None:
        self._ground = ground
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self.injections: list[Injection] = []

    async def run(self, is_enough: Callable[[], Awaitable[bool]]) -> None:
        """Injects until told that it is enough, but each kind at least once; returns when all is up again."""
        ground, plan = self._ground, self._ground.plan
        end = self._clock.monotonic() + plan.longest_faults
        for number, fault in enumerate(self._kinds()):
            is_due = number < len(plan.faults)
            if not is_due and (self._clock.monotonic() > end or await is_enough()):
                break
            await asyncio.sleep(ground.chance.uniform(*plan.between_faults))
            if ground.is_possible(fault):
                self._begin(fault)
        await asyncio.gather(*self._running)
        await ground.supervisor.all_up()

    def _kinds(self) -> Iterator[str]:
        chance, kinds = self._ground.chance, list(self._ground.plan.faults)
        chance.shuffle(kinds)
        yield from kinds
        while kinds:
            yield chance.choices(kinds, weights=[WEIGHTS.get(kind, 1) for kind in kinds])[0]

    def _begin(self, fault: str) -> None:
        task = asyncio.create_task(self._inject(fault))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _inject(self, fault: str) -> None:
        injection = Injection(fault=fault, time=self._clock.now().timestamp())
        self.injections.append(injection)
        await FAULTS[fault](self._ground)
        injection.seconds = self._clock.now().timestamp() - injection.time
