"""Simulator, inbound: a person writes to a number, which takes throughput and opens the 24-hour window."""

from __future__ import annotations

from typing import Any, Final

from simulator import phone, wamid
from simulator.accounts import Number
from simulator.errors import status_error
from simulator.events import announce
from simulator.state import World
from simulator.webhook_bodies import contact_of, timestamp

_KINDS: Final = (
    "text",
    "button",
    "interactive",
    "image",
    "video",
    "document",
    "audio",
    "sticker",
    "reaction",
    "location",
    "contacts",
    "order",
    "system",
    "unsupported",
    "edit",
    "revoke",
)
_MEDIA: Final = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "document": "application/pdf",
    "audio": "audio/ogg",
    "sticker": "image/webp",
}


def receive(world: World, *, number: Number, body: dict[str, Any]) -> str:
    """Announces an inbound message and returns its id; `from` is a phone number, `bsuid_only` hides it.

    Without content of its own, the message quotes nothing unless `context` (a message id, or `last` for the newest
    message to this person) is given.
    """
    kind = body.get("type", "text")
    if kind not in _KINDS:
        raise ValueError(f"type is one of {', '.join(_KINDS)}")
    wa_id = phone.wa_id_of(phone.digits_of(str(body["from"])))
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
    digest = world.draws(f"inbound:{wa_id}:{world.requests}").digest
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
    content = body.get(kind) or _default_content(body, kind, context)
    if content is not None:
        message[kind] = content
    return message


def _context(world: World, body: dict[str, Any], wa_id: str) -> str:
    context = str(body.get("context") or "")
    if context == "last":
        last = world.ledger.last_to(wa_id)
        return last.wamid if last is not None else ""
    return context


def _default_content(body: dict[str, Any], kind: str, context: str) -> dict[str, Any] | None:
    text = body.get("body", "Hello")
    payload = body.get("payload", text)
    defaults: dict[str, dict[str, Any]] = {
        "text": {"body": text},
        "button": {"text": text, "payload": payload},
        "interactive": {"type": "button_reply", "button_reply": {"id": payload, "title": text}},
        "reaction": {"message_id": context, "emoji": body.get("emoji", "\N{THUMBS UP SIGN}")},
        "location": {"latitude": 48.8606, "longitude": 2.3376},
    }
    if kind in _MEDIA:
        return {"id": "400000000000000", "mime_type": _MEDIA[kind], "sha256": "0" * 64}
    return defaults.get(kind)
