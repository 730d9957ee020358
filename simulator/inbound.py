"""Simulator, inbound: a person writes to a number, which takes throughput and opens the 24-hour window."""

from __future__ import annotations

from typing import Any

from simulator import phone, wamid
from simulator.accounts import Number
from simulator.errors import status_error
from simulator.events import announce
from simulator.inbound_contents import default_content
from simulator.state import World
from simulator.webhook_bodies import contact_of, timestamp


def receive(world: World, *, number: Number, body: dict[str, Any]) -> str:
    """Announces an inbound message and returns its id; `from` is a phone number, `bsuid_only` hides it.

    It quotes `context`: a message id, or `last` for the newest message to this person.
    """
    kind = body.get("type", "text")
    wa_id = phone.wa_id_of(phone.digits_of(body["from"]))
    if not wa_id:
        raise ValueError("from is not a phone number")
    now = world.clock.now()
    if world.settings.limits.inbound_counts:
        number.bucket.take(world.clock.real())
    number.windows[wa_id] = now + world.settings.limits.window_seconds
    message = _message(world, number, body, kind, wa_id=wa_id, now=now)
    value: dict[str, Any] = {"messages": [message]}
    if kind != "system":
        value["contacts"] = [_contact(body, wa_id)]
    announce(world, waba=number.waba, field="messages", value=value, time=now, number=number)
    return str(message["id"])


def _contact(body: dict[str, Any], wa_id: str) -> dict[str, Any]:
    contact = contact_of("" if body.get("bsuid_only") else wa_id, phone.user_id_of(wa_id))
    if "profile_name" in body:
        contact["profile"] = {"name": body["profile_name"]}
    return contact


def _message(
    world: World, number: Number, body: dict[str, Any], kind: str, *, wa_id: str, now: float
) -> dict[str, Any]:
    digest = world.draws(f"inbound:{wa_id}:{world.counters['inbound']}").digest
    world.counters["inbound"] += 1
    message: dict[str, Any] = {
        "id": body.get("id") or wamid.incoming(digits=wa_id, nonce=world.nonce(digest)),
        "timestamp": timestamp(now, world.settings.webhooks.timestamps),
        "type": kind,
        "from_user_id": phone.user_id_of(wa_id),
    }
    if not body.get("bsuid_only"):
        message["from"] = wa_id
    if context := _context(world, body, wa_id):
        message["context"] = {"from": number.digits, "id": context}
    if kind == "unsupported":
        message["errors"] = [status_error(131051)]
    message[kind] = body.get(kind) or default_content(world, number, body, kind, context)
    return {**message, **body.get("extra", {})}


def _context(world: World, body: dict[str, Any], wa_id: str) -> str:
    context: str = body.get("context", "")
    if context == "last":
        last = world.ledger.last_to(wa_id)
        return last.wamid if last is not None else ""
    return context
