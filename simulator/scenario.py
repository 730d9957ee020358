"""Simulator, scenarios: accounts, settings, faults and planned events in one file, the same for tests and demos."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from simulator.control_bodies import ClockChange, Fates
from simulator.http import Response
from simulator.outcomes import Outcome
from simulator.phone import person_of
from simulator.rules import Rules
from simulator.seed import build
from simulator.settings import merged, patch
from simulator.shapes import Seconds, ShapeError, checked
from simulator.state import World

_log = logging.getLogger("simulator.scenario")
_GOOD: Final = 200


class Event(BaseModel):
    """A control request that is made `after` simulated seconds: `do` is its method and path, `body` its JSON."""

    model_config = ConfigDict(extra="forbid", strict=True)

    after: Seconds
    do: str
    body: dict[str, Any] = {}


class Scenario(BaseModel):
    """One run from its beginning; what is absent is as the program was started with it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seed: int | None = None
    accounts: dict[str, Any] | None = None
    settings: dict[str, Any] = {}
    clock: ClockChange = Field(default_factory=ClockChange)
    rules: list[dict[str, Any]] = []
    outcomes: list[Fates] = []
    events: list[Event] = []


Perform = Callable[[World, Event], Response | Awaitable[Response]]
_ADAPTER: Final = TypeAdapter(Scenario)


def read_scenario(value: object) -> Scenario:
    """Returns a scenario from JSON; raises ShapeError naming what does not fit."""
    return checked(_ADAPTER, value)


def read_scenario_file(path: str) -> Scenario:
    """Returns the scenario of a file; raises ShapeError when it cannot be read or is none."""
    try:
        return read_scenario(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ShapeError(f"the scenario cannot be read: {error}") from error


def play(world: World, scenario: Scenario, *, perform: Perform) -> None:
    """Starts the world over with a scenario; raises ShapeError, before anything is forgotten, when it does not fit."""
    if scenario.accounts is not None:
        build(scenario.accounts)
    for rule in scenario.rules:
        Rules(seed=0).add(rule)
    beginning = world.beginning
    patch(world.settings, merged(beginning.settings, scenario.settings))
    world.reset(seed=scenario.seed, accounts=beginning.accounts if scenario.accounts is None else scenario.accounts)
    for rule in scenario.rules:
        world.rules.add(rule)
    for fates in scenario.outcomes:
        set_fates(world, fates.recipients, fates.outcome)
    world.clock.set_factor(beginning.factor if scenario.clock.factor is None else scenario.clock.factor)
    world.clock.advance(scenario.clock.advance or 0.0)
    for event in scenario.events:
        _plan(world, event, perform)


def set_fates(world: World, recipients: list[str], outcome: Outcome) -> None:
    """Decides what becomes of messages to these recipients."""
    for recipient in recipients:
        world.outcomes.by_recipient[person_of(recipient) or recipient] = outcome


def _plan(world: World, event: Event, perform: Perform) -> None:
    def act(due_time: float) -> None:
        result = perform(world, event)
        if isinstance(result, Response):
            _note(event, result)
        else:
            world.background(_perform_later(event, result))

    world.agenda.at(world.clock.now() + event.after, act)


async def _perform_later(event: Event, result: Awaitable[Response]) -> None:
    _note(event, await result)


def _note(event: Event, response: Response) -> None:
    level = logging.INFO if response.status == _GOOD else logging.ERROR
    _log.log(level, "%s answered %s %s", event.do, response.status, response.body.decode("utf-8", "replace")[:200])
