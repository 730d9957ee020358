"""Simulator, subscriptions: the app subscribes to a WABA, and its callback has to answer the handshake."""

from __future__ import annotations

import os
from http import HTTPStatus

from simulator.accounts import Waba
from simulator.answers import json_response
from simulator.errors import Refusal
from simulator.http import Request, Response
from simulator.messages import parse
from simulator.state import World


async def subscribe(world: World, waba: Waba, request: Request) -> Response:
    """Answers `POST /{waba_id}/subscribed_apps`; refuses when the callback does not echo the challenge."""
    body = parse(request.body) if request.body and b"json" in request.headers.get(b"content-type", b"") else {}
    url = str(body.get("override_callback_uri") or "")
    token = str(body.get("verify_token") or world.credentials.verify_token)
    target = url or world.webhooks.url
    if target and not await handshake(world, url=target, verify_token=token):
        raise Refusal(100, "The callback did not answer the challenge.", title="(#100) Callback verification failed")
    waba.callback_url = url
    waba.subscribed = True
    return json_response({"success": True})


async def handshake(world: World, *, url: str, verify_token: str) -> bool:
    """Returns whether the callback echoes a fresh challenge."""
    challenge = str(int.from_bytes(os.urandom(4), "big"))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    status, text = await world.webhooks.client.get(url=url, query=query)
    return status == HTTPStatus.OK and text.strip() == challenge


def list_subscriptions(world: World, waba: Waba, request: Request) -> Response:
    """Answers `GET /{waba_id}/subscribed_apps`."""
    if not waba.subscribed:
        return json_response({"data": []})
    app: dict[str, object] = {
        "whatsapp_business_api_data": {"id": "400000000000001", "name": "Simulated app", "link": ""}
    }
    if waba.callback_url:
        app["override_callback_uri"] = waba.callback_url
    return json_response({"data": [app]})


def unsubscribe(world: World, waba: Waba, request: Request) -> Response:
    """Answers `DELETE /{waba_id}/subscribed_apps`."""
    waba.subscribed = False
    return json_response({"success": True})
