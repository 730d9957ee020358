"""Whom a webhook body names: anywhere but in receipts that are understood, whose people are known by their messages."""

from collections.abc import Mapping
from typing import Any, Final

from core.whatsapp.bodies import changes, loose_ends
from core.whatsapp.redaction import identities
from core.whatsapp.webhook_fields import mapping

_TALK: Final = frozenset({"messages", "standby"})
_OURS: Final = frozenset({"messaging_product", "metadata"})
_OF_RECEIPT: Final = frozenset(
    {
        "id", "status", "timestamp", "recipient_id", "recipient_user_id", "biz_opaque_callback_data", "conversation",
        "pricing", "errors", "type", "recipient_type",
    }
)  # fmt: skip


def mentioned(document: Mapping[str, Any]) -> frozenset[str]:
    """Returns what identifies people beside a body's receipts: numbers without +, WhatsApp's ids of them."""
    told = [people(holder[key]) for holder, key in loose_ends(document)]
    told += [people(_beside_receipts(topic, change)) for topic, change, _ in changes(document)]
    return frozenset[str]().union(*told)


def beside_message(receipt: Mapping[str, Any]) -> frozenset[str]:
    """Returns what identifies people in a receipt where none is expected: they need not be who got the message."""
    if receipt.keys() <= _OF_RECEIPT:
        return frozenset()
    return people({key: receipt[key] for key in receipt.keys() - _OF_RECEIPT})


def people(value: object) -> frozenset[str]:
    """Returns what identifies people in any part of a body; a message's id alone is nobody's."""
    return frozenset(word for word in identities(value) if not word.startswith("wamid."))


def _beside_receipts(topic: str, change: Mapping[str, Any]) -> object:
    value = change.get("value")
    if topic not in _TALK or not isinstance(value, dict):
        return value
    told = {key: part for key, part in {**value, **mapping(value, "standby")}.items() if key not in _OURS}
    receipts = told.get("statuses")
    if isinstance(receipts, list) and receipts:
        told["statuses"] = [item for item in receipts if not isinstance(item, dict)]
        # A card beside receipts is of who got the message; that person is known by the message itself.
        told.pop("contacts", None)
    return told
