"""Simulator, journeys: an accepted message on its way, one planned step at a time."""

from __future__ import annotations

from collections.abc import Callable

from simulator.effects import EFFECTS
from simulator.ledger import Message
from simulator.state import World
from simulator.timeline import Step

_EFFECT = "effect."


class Journey:
    """The remaining steps of one message; only the next one stands in the agenda, so waiting costs one entry."""

    __slots__ = ("_index", "_message", "_start", "_steps", "_world")

    def __init__(self, world: World, message: Message, steps: list[Step], start: float) -> None:
        self._world = world
        self._message = message
        self._steps = steps
        self._start = start
        self._index = 0

    def begin(self) -> None:
        """Does what happens at once, and plans the next step."""
        self._go_on(self._world.clock.now())

    def __call__(self, due_time: float) -> None:
        """Does the step that was planned for this time, and plans the next."""
        self._go_on(max(due_time, self._world.clock.now()))

    def _go_on(self, now: float) -> None:
        while self._index < len(self._steps):
            step = self._steps[self._index]
            due_time = self._start + step.offset
            if due_time > now:
                self._world.agenda.at(due_time, self)
                return
            self._index += 1
            self._do(step, due_time)

    def _do(self, step: Step, due_time: float) -> None:
        if step.what.startswith(_EFFECT):
            effect: Callable[[World, Message, float], None] = EFFECTS[step.what[len(_EFFECT) :]]
            effect(self._world, self._message, due_time)
        else:
            happened = due_time if step.time is None else self._start + step.time
            self._world.announce(self._message, step.what, happened, step.code, next_time=self._next_time())

    def _next_time(self) -> float | None:
        """Returns when the next status of the message is told, None when none is."""
        if self._index == len(self._steps):
            return None
        step = self._steps[self._index]
        return None if step.what.startswith(_EFFECT) else self._start + step.offset


def depart(world: World, message: Message, steps: list[Step]) -> None:
    """Sends an accepted message on its way from now."""
    Journey(world, message, steps, world.clock.now()).begin()
