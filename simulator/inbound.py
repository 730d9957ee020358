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
    """Announces an inbound message and returns its id; `from` is a number, which `bsuid_only` hides, or a user id.

    It quotes `context`: a message id, or `last` for the newest message to this person.
    """
    kind = body.get("type", "text")
    person = phone.person_of(body["from"])
    if not person:
        raise ValueError("from is neither a phone number nor a user id")
    now = world.clock.now()
    if world.settings.limits.inbound_counts:
        number.bucket.take(world.clock.real())
    number.windows[person] = now + world.settings.limits.window_seconds
    message = _message(world, number, body, kind, person=person, now=now)
    value: dict[str, Any] = {"messages": [message]}
    if kind != "system":
        value["contacts"] = [_contact(body, person)]
    announce(world, waba=number.waba, field="messages", value=value, time=now, number=number)
    return str(message["id"])


def _shown(body: dict[str, Any], person: str) -> tuple[str, str]:
    """Returns the number and the user id that are told of a person; no number of one who hides it."""
    if phone.is_user_id(body["from"]):
        return "", body["from"]
    return "" if body.get("bsuid_only") else person, phone.user_id_of(person)


def _contact(body: dict[str, Any], person: str) -> dict[str, Any]:
    contact = contact_of(*_shown(body, person))
    if "profile_name" in body:
        contact["profile"] = {"name": body["profile_name"]}
    return contact


def _message(
    world: World, number: Number, body: dict[str, Any], kind: str, *, person: str, now: float
) -> dict[str, Any]:
    digest = world.draws(f"inbound:{person}:{world.counters['inbound']}").digest
    world.counters["inbound"] += 1
    wa_id, user_id = _shown(body, person)
    message: dict[str, Any] = {
        "id": body.get("id") or wamid.incoming(digits=person.rpartition(".")[2], nonce=world.nonce(digest)),
        "timestamp": timestamp(now, world.settings.webhooks.timestamps),
        "type": kind,
        "from_user_id": user_id,
    }
    if wa_id:
        message["from"] = wa_id
    if context := _context(world, body, person):
        message["context"] = {"from": number.digits, "id": context}
    if kind == "unsupported":
        message["errors"] = [status_error(131051)]
    message[kind] = body.get(kind) or default_content(world, number, body, kind, context)
    return {**message, **body.get("extra", {})}


def _context(world: World, body: dict[str, Any], person: str) -> str:
    context: str = body.get("context", "")
    if context == "last":
        last = world.ledger.last_to(person)
        return last.wamid if last is not None else ""
    return context
