"""Whom a webhook body names: anywhere but in receipts that are understood, whose people are known by their messages."""

from collections.abc import Mapping
from typing import Any, Final

from core.whatsapp.bodies import Walk
from core.whatsapp.named import named_in
from core.whatsapp.webhook_fields import mapping

_TALK: Final = frozenset({"messages", "standby"})
_OURS: Final = frozenset({"messaging_product", "metadata"})
# A card beside receipts is of who got the message; where the receipt was not understood, its reader says so.
_OF_RECEIPTS: Final = _OURS | {"statuses", "contacts"}
_OF_RECEIPT: Final = frozenset(
    {
        "id", "status", "timestamp", "recipient_id", "recipient_user_id", "recipient_parent_user_id", "recipient_type",
        "biz_opaque_callback_data", "conversation", "pricing", "errors", "type",
    }
)  # fmt: skip


def mentioned(walked: Walk) -> frozenset[str]:
    """Returns what names people in a body beside its receipts."""
    told = [part for topic, change, _ in walked.changes if (part := _beside_receipts(topic, change)) is not None]
    told += [holder[key] for holder, key in walked.loose_ends]
    return frozenset(named_in(told)) if told else frozenset()


def named_beside(receipt: Mapping[str, Any]) -> frozenset[str]:
    """Returns what names people in a receipt where nothing is known to: they need not be who got the message."""
    if receipt.keys() <= _OF_RECEIPT:
        return frozenset()
    return frozenset(named_in({key: receipt[key] for key in receipt.keys() - _OF_RECEIPT}))


def _beside_receipts(topic: str, change: Mapping[str, Any]) -> object:
    value = change.get("value")
    if topic not in _TALK or not isinstance(value, dict):
        return value
    if value.keys() <= _OF_RECEIPTS and _are_receipts(value.get("statuses")):
        return None  # as almost all bodies are
    told = {**value, **mapping(value, "standby")}
    left_out = _OF_RECEIPTS if _are_receipts(told.get("statuses")) else _OURS
    return {key: part for key, part in told.items() if key not in left_out and part is not value.get("standby")}


def _are_receipts(statuses: object) -> bool:
    return isinstance(statuses, list) and bool(statuses) and all(isinstance(item, dict) for item in statuses)
