"""Simulator, effects: what a message's fate does to the person, the template, the number, the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulator import events
from simulator.accounts import Number
from simulator.ledger import Message
from simulator.state import World


def _opted_out(world: World, message: Message, time: float) -> None:
    events.set_preference(world, number=message.number, person=message.person, value="stop", time=time)


def _template_paused(world: World, message: Message, time: float) -> None:
    found = world.accounts.templates.get(message.template_id)
    if found is not None and found[1].status == "APPROVED":
        events.pause_template(world, waba=found[0], template=found[1], time=time, by_pacing=True)


def _number_flagged(world: World, message: Message, time: float) -> None:
    flag_number(world, message.number, time)


def _account_restricted(world: World, message: Message, time: float) -> None:
    events.announce_restriction(world, waba=message.number.waba, time=time)


def flag_number(world: World, number: Number, time: float) -> None:
    """Marks a number as FLAGGED with RED quality, and says so."""
    number.status, number.quality = "FLAGGED", "RED"
    events.announce_number(world, number=number, event="FLAGGED", time=time)


EFFECTS: Final[dict[str, Callable[[World, Message, float], None]]] = {
    "opted_out": _opted_out,
    "template_paused": _template_paused,
    "number_flagged": _number_flagged,
    "account_restricted": _account_restricted,
}
