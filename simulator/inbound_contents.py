"""Simulator, contents of inbound messages: what a person's message holds when the caller does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulator.accounts import Number
from simulator.media import INBOUND_KEEP_SECONDS
from simulator.state import World

_MEDIA: Final = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "document": "application/pdf",
    "audio": "audio/ogg",
    "sticker": "image/webp",
}


def default_content(world: World, number: Number, body: dict[str, Any], kind: str, context: str) -> object:
    """Returns the content of a message of this kind; a file of a media message can be fetched for a week."""
    if kind in _MEDIA:
        return _file(world, number, kind)
    text = body.get("body", "Hello")
    return _DEFAULTS[kind]({**body, "body": text, "payload": body.get("payload", text), "context": context})


def _file(world: World, number: Number, kind: str) -> dict[str, Any]:
    media = world.media.add(
        number_id=number.id,
        mime_type=_MEDIA[kind],
        data=f"a small {kind}".encode(),
        now=world.clock.now(),
        limit=world.settings.media_bytes_limit,
        keep_seconds=INBOUND_KEEP_SECONDS,
    )
    return {"id": media.id, "mime_type": media.mime_type, "sha256": media.sha256}


def _product(body: dict[str, Any]) -> dict[str, Any]:
    item = {"product_retailer_id": "SKU-1", "quantity": 1, "item_price": 9.9, "currency": "EUR"}
    return {"catalog_id": "600000000000001", "text": body["body"], "product_items": [item]}


_DEFAULTS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "text": lambda body: {"body": body["body"]},
    "button": lambda body: {"text": body["body"], "payload": body["payload"]},
    "interactive": lambda body: {
        "type": "button_reply",
        "button_reply": {"id": body["payload"], "title": body["body"]},
    },
    "reaction": lambda body: {"message_id": body["context"], "emoji": body.get("emoji", "\N{THUMBS UP SIGN}")},
    "location": lambda _: {"latitude": 48.8606, "longitude": 2.3376},
    "contacts": lambda _: [
        {"name": {"formatted_name": "Ann Lee", "first_name": "Ann"}, "phones": [{"phone": "+1 555 010 0123"}]}
    ],
    "order": _product,
    "system": lambda body: {
        "body": "The person has changed their number.",
        "wa_id": body.get("payload", ""),
        "type": "user_changed_number",
    },
    "unsupported": lambda _: {"type": "poll_creation"},
    "edit": lambda body: {
        "original_message_id": body["context"],
        "message": {"type": "text", "text": {"body": body["body"]}},
    },
    "revoke": lambda body: {"original_message_id": body["context"]},
}
