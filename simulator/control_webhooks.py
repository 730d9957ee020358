"""Simulator, control of webhooks: their state and log, holding them back, and deliveries that are wrong on purpose."""

from __future__ import annotations

from typing import Any, Final

from simulator import webhook_faults
from simulator.answers import ControlHandler, json_response, query_of
from simulator.http import Request, Response
from simulator.state import World
from simulator.subscriptions import handshake


def _summary(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response(world.webhooks.summary())


def _log(world: World, request: Request, body: dict[str, Any]) -> Response:
    limit = max(1, int(query_of(request).get("limit", 100)))
    return json_response({"data": list(world.webhooks.log)[-limit:]})


async def _configure(world: World, request: Request, body: dict[str, Any]) -> Response:
    """Sets the callback URL; with `verify` only if it answers the handshake."""
    url = str(body.get("url", world.webhooks.url))
    if body.get("verify") and not await handshake(world, url=url, verify_token=world.credentials.verify_token):
        return json_response({"error": "the callback did not answer the challenge"}, status=400)
    world.webhooks.url = url
    return json_response(world.webhooks.summary())


def _pause(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.webhooks.pause(paused=True)
    return json_response(world.webhooks.summary())


def _resume(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.webhooks.pause(paused=False)
    return json_response(world.webhooks.summary())


async def _bad(world: World, request: Request, body: dict[str, Any]) -> Response:
    mode = body.get("mode")
    if mode not in webhook_faults.MODES:
        return json_response({"error": f"mode is one of {', '.join(webhook_faults.MODES)}"}, status=400)
    return json_response(await webhook_faults.deliver(world, mode=mode, body=body))


ROUTES: Final[dict[tuple[str, str], ControlHandler]] = {
    ("GET", "webhooks"): _summary,
    ("POST", "webhooks"): _configure,
    ("GET", "webhooks/log"): _log,
    ("POST", "webhooks/pause"): _pause,
    ("POST", "webhooks/resume"): _resume,
    ("POST", "webhooks/bad"): _bad,
}
