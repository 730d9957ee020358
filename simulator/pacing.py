"""Simulator, pacing: messages of a template that wait for the verdict about its quality."""

from __future__ import annotations

from simulator import events
from simulator.accounts import Template, Waba
from simulator.journeys import depart
from simulator.ledger import Message
from simulator.outcomes import Outcome
from simulator.state import World
from simulator.timeline import plan


def hold(world: World, template: Template, message: Message, fate: Outcome | None) -> None:
    """Keeps a message back with the fate it was accepted with; the first one held by the setting plans the verdict."""
    waiting = world.held.setdefault(template.id, [])
    # Whoever is released has waited enough.
    waiting.append((message, None if fate is not None and fate.held else fate))
    if len(waiting) > 1 or template.pacing == "hold":
        return
    limits = world.settings.limits
    waba = message.number.waba
    verdict_time = world.clock.now() + limits.pacing_seconds
    drop = limits.pacing_verdict == "drop"

    def verdict(due_time: float) -> None:
        # What was decided by hand in between, and what came after that, are not its business.
        if world.held.get(template.id) is waiting:
            decide(world, waba=waba, template=template, drop=drop, time=due_time)

    world.agenda.at(verdict_time, verdict)


def decide(world: World, *, waba: Waba, template: Template, drop: bool, time: float) -> int:
    """Ends the wait of all held messages of a template; returns how many there were."""
    held = len(world.held.get(template.id, ()))
    timeline = world.settings.timeline
    for message, fate in events.release_held(world, waba=waba, template=template, drop=drop, time=time):
        draws = world.draws(f"{message.key}:released")
        depart(world, message, plan(outcome=fate, draws=draws, settings=timeline, limited=message.is_limited))
    return held
