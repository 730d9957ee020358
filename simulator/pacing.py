"""Simulator, pacing: messages of a template that wait for the verdict about its quality."""

from __future__ import annotations

from simulator import events
from simulator.accounts import Template, Waba
from simulator.journeys import depart
from simulator.ledger import Message
from simulator.state import World
from simulator.timeline import plan


def hold(world: World, template: Template, message: Message) -> None:
    """Keeps a message back; the first one held by the setting also plans the verdict."""
    waiting = world.held.setdefault(template.id, [])
    waiting.append(message)
    if len(waiting) > 1 or template.pacing == "hold":
        return
    limits = world.settings.limits
    waba = message.number.waba
    verdict_time = world.clock.now() + limits.pacing_seconds
    drop = limits.pacing_verdict == "drop"

    def verdict(due_time: float) -> None:
        decide(world, waba=waba, template=template, drop=drop, time=due_time)

    world.agenda.at(verdict_time, verdict)


def decide(world: World, *, waba: Waba, template: Template, drop: bool, time: float) -> int:
    """Ends the wait of all held messages of a template; returns how many there were."""
    held = len(world.held.get(template.id, ()))
    for message in events.release_held(world, waba=waba, template=template, drop=drop, time=time):
        draws = world.draws(f"{message.key}:released")
        outcome = world.outcomes.of(message.to, suffixes=world.settings.suffixes)
        usable = None if outcome is None or outcome.refuse or outcome.held else outcome
        depart(world, message, plan(outcome=usable, draws=draws, settings=world.settings.timeline))
    return held
