"""Webhook bodies as WhatsApp writes them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from core.domain.messages import MessageRef
from core.whatsapp.payloads import callback_data

PHONE_NUMBER_ID = "100000000000002"


def status(
    word: str, at: datetime, *, wamid: str, ref: MessageRef | None = None, code: int = 0, title: str = "It failed."
) -> dict[str, Any]:
    """Returns one element of `statuses`."""
    told: dict[str, Any] = {"id": wamid, "status": word, "timestamp": str(int(at.timestamp())), "recipient_id": "49170"}
    if ref is not None:
        told["biz_opaque_callback_data"] = callback_data(ref.campaign_id, ref.message_id, ref.attempt)
    if word == "failed":
        told["errors"] = [{"code": code or 131049, "title": title}]
    return told


def reply(text: str, at: datetime, *, wamid: str, phone: str, **more: Any) -> dict[str, Any]:
    """Returns one text of `messages`."""
    told = {"from": phone.removeprefix("+"), "id": wamid, "timestamp": str(int(at.timestamp())), "type": "text"}
    return {**told, "text": {"body": text}, **more}


def user_id_update(before: str, after: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Returns one element of `user_id_update`."""
    return {"user_id": {"previous": before, "current": after}, "timestamp": str(int(at.timestamp())), **more}


def body(field: str = "messages", *, phone_number_id: str = PHONE_NUMBER_ID, **value: Any) -> bytes:
    """Returns a body with one change."""
    metadata = {"display_phone_number": "15550001111", "phone_number_id": phone_number_id}
    change = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "200", "changes": [change]}]})


def account_body(field: str, value: Mapping[str, Any], *, time: int) -> bytes:
    """Returns a body about a template or an account, which names no number."""
    change = {"field": field, "value": value}
    return orjson.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "200", "time": time, "changes": [change]}]}
    )
