"""Simulator, the control API under `/_sim`: what a test or a demo may see and change; none of it exists at Meta."""

from __future__ import annotations

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from simulator import control_bodies, control_events, control_ledger, control_webhooks
from simulator.answers import Route, json_response
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.outcomes import Outcome
from simulator.scenario import Event, Scenario, play, read_scenario, set_fates
from simulator.settings import as_json, patch
from simulator.shapes import ShapeError, checked
from simulator.state import World

PREFIX: Final = "/_sim/"
_WRONG: Final = (ValueError, TypeError, KeyError, Refusal)


def answer(world: World, request: Request, path: str) -> Response | Awaitable[Response]:
    """Answers a control request; the body is a JSON object or empty."""
    route, rest = _find(request.method, path)
    if route is None:
        return _problem(HTTPStatus.NOT_FOUND, f"there is no {request.method} {PREFIX}{path}")
    try:
        result = route.handler(world, request, {**_body(route, request.body), **rest})
    except _WRONG as error:
        return _told(error)
    return result if isinstance(result, Response) else _answer_later(result)


async def _answer_later(result: Awaitable[Response]) -> Response:
    try:
        return await result
    except _WRONG as error:
        return _told(error)


def _find(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """Returns the route and, for one about a single object, its id under `_id`."""
    if (route := ROUTES.get((method, path))) is not None:
        return route, {}
    name, _, ident = path.partition("/")
    return (ROUTES.get((method, name + "/*")), {"_id": ident}) if ident else (None, {})


def _body(route: Route, raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw) if raw.strip() else {}
    except orjson.JSONDecodeError as error:
        raise ShapeError(f"the body is no JSON: {error}") from None
    if not isinstance(body, dict):
        raise ShapeError("the body must be a JSON object")
    if route.body is None:
        return body
    return checked(TypeAdapter(route.body), body).given()


def _told(error: Exception) -> Response:
    if isinstance(error, Refusal):
        return _problem(HTTPStatus.BAD_REQUEST, error.details or f"code {error.code}")
    return _problem(HTTPStatus.BAD_REQUEST, str(error))


def _problem(status: int, text: str) -> Response:
    return json_response({"error": text}, status=status)


def _health(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response({"ready": True, "profile": world.settings.profile, "seed": world.settings.seed})


def _reset(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.reset(seed=body.get("seed"))
    return json_response({"reset": True, "seed": world.settings.seed})


def _get_settings(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response(as_json(world.settings))


def _patch_settings(world: World, request: Request, body: dict[str, Any]) -> Response:
    if body.get("profile", world.settings.profile) != world.settings.profile:
        raise ShapeError("the profile is chosen at start")
    patch(world.settings, body)
    return _get_settings(world, request, body)


def _clock(world: World, request: Request, body: dict[str, Any]) -> Response:
    if (factor := body.get("factor")) is not None:
        world.clock.set_factor(factor)
    if (seconds := body.get("advance")) is not None:
        world.clock.advance(seconds)
        world.agenda.run_due()
    return json_response({"now": world.clock.now(), "factor": world.clock.factor, "planned": len(world.agenda)})


def _list_rules(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response({"rules": world.rules.as_json()})


def _add_rule(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response({"id": world.rules.add(body).id})


def _clear_rules(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.rules.clear()
    return json_response({"rules": []})


def _remove_rule(world: World, request: Request, body: dict[str, Any]) -> Response:
    if not (body["_id"].isdigit() and world.rules.remove(int(body["_id"]))):
        return _problem(HTTPStatus.NOT_FOUND, "there is no such rule")
    return json_response({"removed": True})


def _list_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    listed = {recipient: _outcome_json(outcome) for recipient, outcome in world.outcomes.by_recipient.items()}
    return json_response({"outcomes": listed})


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in outcome.__slots__ if getattr(outcome, name)}


def _set_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    outcome = Outcome(**body["outcome"])
    set_fates(world, body["recipients"], outcome)
    return json_response({"outcomes": len(world.outcomes.by_recipient)})


def _clear_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.outcomes.clear()
    return json_response({"outcomes": 0})


def _play(world: World, request: Request, body: dict[str, Any]) -> Response:
    scenario = read_scenario(body)
    play_scenario(world, scenario)
    return json_response({"accounts": sorted(world.accounts.wabas), "events": len(scenario.events)})


def play_scenario(world: World, scenario: Scenario) -> None:
    """Starts over with a scenario; raises ShapeError, and forgets nothing, when a part of it does not fit."""
    for event in scenario.events:
        _check_event(event)
    play(world, scenario, perform=_perform)


def _check_event(event: Event) -> None:
    route, _ = _find(*_target(event))
    if route is None:
        raise ShapeError(f"there is no control request {event.do}")
    if route.body is not None:
        checked(TypeAdapter(route.body), event.body)


def _perform(world: World, event: Event) -> Response | Awaitable[Response]:
    method, path = _target(event)
    request = Request(method=method, path=PREFIX + path, query="", headers={}, body=orjson.dumps(event.body))
    return answer(world, request, path)


def _target(event: Event) -> tuple[str, str]:
    method, _, path = event.do.partition(" ")
    return method, path.strip().removeprefix(PREFIX).strip("/")


ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("GET", "health"): Route(_health),
    ("POST", "reset"): Route(_reset, control_bodies.Reset),
    ("POST", "scenario"): Route(_play, None),
    ("GET", "settings"): Route(_get_settings),
    ("PATCH", "settings"): Route(_patch_settings, None),
    ("GET", "clock"): Route(_clock),
    ("POST", "clock"): Route(_clock, control_bodies.ClockChange),
    ("GET", "rules"): Route(_list_rules),
    ("POST", "rules"): Route(_add_rule, None),
    ("DELETE", "rules"): Route(_clear_rules),
    ("DELETE", "rules/*"): Route(_remove_rule),
    ("GET", "outcomes"): Route(_list_outcomes),
    ("POST", "outcomes"): Route(_set_outcomes, control_bodies.Fates),
    ("DELETE", "outcomes"): Route(_clear_outcomes),
    **control_ledger.ROUTES,
    **control_events.ROUTES,
    **control_webhooks.ROUTES,
}
