"""Simulator, control of webhooks: their state and log, holding them back, and deliveries that are wrong on purpose."""

from __future__ import annotations

from typing import Any, Final

from simulator import control_bodies, webhook_faults
from simulator.answers import Route, json_response, query_of, whole_number
from simulator.http import Request, Response
from simulator.shapes import ShapeError
from simulator.state import World
from simulator.subscriptions import handshake


def _summary(world: World, request: Request, body: dict[str, Any]) -> Response:
    return json_response(world.webhooks.summary())


def _log(world: World, request: Request, body: dict[str, Any]) -> Response:
    limit = whole_number(query_of(request), "limit", 100, low=1, high=1000)
    return json_response({"data": list(world.webhooks.log)[-limit:]})


async def _configure(world: World, request: Request, body: dict[str, Any]) -> Response:
    """Sets the callback URL, if it answers the handshake; `verify: false` takes it unasked."""
    url = body.get("url") or ""
    if "url" not in body:
        url = world.webhooks.url
    if url and not url.startswith(("http://", "https://")):
        raise ShapeError("url is an http or https URL, or empty")
    if (
        url
        and body.get("verify", "url" in body)
        and not await handshake(world, url=url, verify_token=world.credentials.verify_token)
    ):
        raise ShapeError("the callback did not answer the challenge")
    world.webhooks.url = url
    return json_response(world.webhooks.summary())


def _pause(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.webhooks.pause(paused=True)
    return json_response(world.webhooks.summary())


def _resume(world: World, request: Request, body: dict[str, Any]) -> Response:
    world.webhooks.pause(paused=False)
    return json_response(world.webhooks.summary())


async def _bad(world: World, request: Request, body: dict[str, Any]) -> Response:
    if body["mode"] not in webhook_faults.MODES:
        raise ShapeError(f"mode is one of {', '.join(webhook_faults.MODES)}")
    return json_response(await webhook_faults.deliver(world, mode=body["mode"], body=body))


ROUTES: Final[dict[tuple[str, str], Route]] = {
    ("GET", "webhooks"): Route(_summary),
    ("POST", "webhooks"): Route(_configure, control_bodies.Callback),
    ("GET", "webhooks/log"): Route(_log),
    ("POST", "webhooks/pause"): Route(_pause),
    ("POST", "webhooks/resume"): Route(_resume),
    ("POST", "webhooks/bad"): Route(_bad, control_bodies.BadDelivery),
}
