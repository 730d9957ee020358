"""Simulator, webhook bodies: from updates to the exact bytes of one POST and their signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from simulator import phone
from simulator.accounts import Number, Waba
from simulator.errors import status_error
from simulator.ledger import Message
from simulator.settings import Webhooks


@dataclass(slots=True, eq=False)
class Update:
    """One thing to announce: a status of a message, or any other `value` under `field`."""

    waba: Waba
    number: Number | None
    time: float
    message: Message | None = None
    status: str = ""
    code: int = 0
    details: str | None = None
    field: str = "messages"
    value: dict[str, Any] | None = None


def escape(value: object) -> bytes:
    """Returns JSON as Meta writes it: ASCII only, and `/ < % @` escaped: other bytes than a parser would write."""
    text = orjson.dumps(value)
    if not text.isascii():
        text = json.dumps(value, separators=(",", ":")).encode("ascii")
    text = text.replace(b"/", b"\\/")
    for character, escaped in ((b"<", b"\\u003C"), (b"%", b"\\u0025"), (b"@", b"\\u0040")):
        if character in text:
            text = text.replace(character, escaped)
    return text


def sign(body: bytes, app_secret: bytes) -> str:
    """Returns the value of `X-Hub-Signature-256` for exactly these bytes."""
    return "sha256=" + hmac.new(app_secret, body, hashlib.sha256).hexdigest()


def render(updates: Iterable[Update], settings: Webhooks) -> bytes:
    """Returns the body of one POST; the same updates always give the same bytes."""
    return escape({"object": "whatsapp_business_account", "entry": _entries(updates, settings)})


def _entries(updates: Iterable[Update], settings: Webhooks) -> list[dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    open_changes: dict[str, dict[str, Any]] = {}
    for update in updates:
        entry = entries.get(update.waba.id)
        if entry is None:
            entry = entries[update.waba.id] = {"id": update.waba.id, "changes": []}
        if update.message is None:
            entry["changes"].append({"value": _other(update), "field": update.field})
            if update.field != "messages":
                entry["time"] = int(update.time)
        else:
            _add_status(entry, open_changes, update, update.message, settings=settings)
    return list(entries.values())


def _other(update: Update) -> dict[str, Any]:
    value = update.value or {}
    if update.field in ("messages", "user_preferences") and update.number is not None:
        return {**_address(update.number), **value}
    return value


def _address(number: Number) -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": number.digits, "phone_number_id": number.id},
    }


def _add_status(
    entry: dict[str, Any],
    open_changes: dict[str, dict[str, Any]],
    update: Update,
    message: Message,
    *,
    settings: Webhooks,
) -> None:
    number = message.number
    user_id = message.user_id or phone.user_id_of(message.wa_id)
    value = open_changes.get(number.id)
    if value is None or len(value["statuses"]) >= settings.statuses_per_change:
        value = open_changes[number.id] = {**_address(number), "statuses": []}
        entry["changes"].append({"value": value, "field": "messages"})
    if settings.contacts and update.status != "failed":
        value.setdefault("contacts", []).append(contact_of(message.wa_id, user_id))
    value["statuses"].append(_status(update, message, user_id, settings))


def contact_of(wa_id: str, user_id: str) -> dict[str, Any]:
    """Returns an item of `contacts[]`; a person known only by user id has no `wa_id`."""
    if not wa_id:
        return {"profile": {"name": "WhatsApp user"}, "user_id": user_id}
    return {
        "profile": {"name": phone.profile_name_of(wa_id)},
        "wa_id": wa_id,
        "user_id": user_id or phone.user_id_of(wa_id),
    }


def timestamp(time: float, style: str) -> str | int:
    """Returns a status timestamp in the configured style: seconds, number, or milliseconds."""
    if style == "number":
        return int(time)
    return str(int(time * 1000)) if style == "milliseconds" else str(int(time))


def _status(update: Update, message: Message, user_id: str, settings: Webhooks) -> dict[str, Any]:
    status: dict[str, Any] = {
        "id": message.wamid,
        "status": update.status,
        "timestamp": timestamp(update.time, settings.timestamps),
    }
    if message.wa_id:
        status["recipient_id"] = message.wa_id
    if update.status != "failed" or not message.wa_id:
        status["recipient_user_id"] = user_id
    if message.callback_data:
        status["biz_opaque_callback_data"] = message.callback_data
    if update.code:
        status["errors"] = [status_error(update.code, update.details)]
    if update.status == "sent" or (update.status in ("delivered", "read") and _is_first_after_sent(update, message)):
        status.update(_price(update, message, settings))
    return status


def _is_first_after_sent(update: Update, message: Message) -> bool:
    # `pricing` is on one of delivered and read: on the one that was announced first.
    history = message.history
    return next((status for status in history[::2] if status in ("delivered", "read")), "") == update.status


def _price(update: Update, message: Message, settings: Webhooks) -> dict[str, Any]:
    price: dict[str, Any] = {
        "pricing": {
            "billable": not message.is_free,
            "pricing_model": "PMP",
            "type": "free_customer_service" if message.is_free else "regular",
            "category": message.category,
        }
    }
    if settings.conversation:
        origin = {"type": message.category}
        price["conversation"] = {"id": message.wamid[-32:].lower(), "origin": origin}
        if update.status == "sent":
            price["conversation"]["expiration_timestamp"] = str(int(update.time) + 86_400)
    return price
