"""Simulator, the control API under `/_sim`: what a test or a demo may see and change; none of it exists at Meta."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

import orjson

from simulator import control_events, control_ledger, control_webhooks
from simulator.answers import ControlHandler, json_response
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.outcomes import Outcome, outcome_from_json
from simulator.phone import digits_of
from simulator.settings import SettingError, as_json, patch
from simulator.state import World


def answer(world: World, request: Request, path: str) -> Response | Awaitable[Response]:
    """Answers a control request; the body is a JSON object or empty."""
    name, _, rest = path.partition("/")
    handler = ROUTES.get((request.method, path)) or ROUTES.get((request.method, name + "/*"))
    if handler is None:
        return _problem(404, f"there is no {request.method} /_sim/{path}")
    try:
        body = orjson.loads(request.body) if request.body else {}
        if not isinstance(body, dict):
            return _problem(400, "the body must be a JSON object")
        if rest and (request.method, path) not in ROUTES:
            body["_id"] = rest
        return handler(world, request, body)
    except KeyError as error:
        return _problem(400, f"{error.args[0]} is missing or names nothing")
    except Refusal as refusal:
        return _problem(400, refusal.details or f"code {refusal.code}")
    except (ValueError, TypeError) as error:
        return _problem(400, str(error))


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
        raise SettingError("the profile is chosen at start")
    patch(world.settings, body)
    return _get_settings(world, request, body)


def _clock(world: World, request: Request, body: dict[str, Any]) -> Response:
    if (factor := body.get("factor")) is not None:
        if not isinstance(factor, int | float) or factor < 0:
            raise ValueError("factor is a number of at least 0")
        world.clock.set_factor(float(factor))
    if (seconds := body.get("advance")) is not None:
        if not isinstance(seconds, int | float) or seconds < 0:
            raise ValueError("advance is a number of seconds of at least 0")
        world.clock.advance(float(seconds))
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
    if not world.rules.remove(int(body["_id"])):
        return _problem(404, "there is no such rule")
    return json_response({"removed": True})


def _list_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    listed = {recipient: _outcome_json(outcome) for recipient, outcome in world.outcomes.by_recipient.items()}
    return json_response({"outcomes": listed})


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {name: getattr(outcome, name) for name in outcome.__slots__ if getattr(outcome, name)}


def _set_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    outcome = outcome_from_json(body["outcome"])
    for recipient in body["recipients"]:
        world.outcomes.by_recipient[digits_of(recipient) or recipient] = outcome
    return json_response({"outcomes": len(world.outcomes.by_recipient)})


def _clear_outcomes(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.outcomes.clear()
    return json_response({"outcomes": 0})


ROUTES: Final[dict[tuple[str, str], ControlHandler]] = {
    ("GET", "health"): _health,
    ("POST", "reset"): _reset,
    ("GET", "settings"): _get_settings,
    ("PATCH", "settings"): _patch_settings,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("GET", "rules"): _list_rules,
    ("POST", "rules"): _add_rule,
    ("DELETE", "rules"): _clear_rules,
    ("DELETE", "rules/*"): _remove_rule,
    ("GET", "outcomes"): _list_outcomes,
    ("POST", "outcomes"): _set_outcomes,
    ("DELETE", "outcomes"): _clear_outcomes,
    **control_ledger.ROUTES,
    **control_events.ROUTES,
    **control_webhooks.ROUTES,
}
