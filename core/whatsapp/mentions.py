"""Whom a webhook body names beside its receipts: who got a message is known by it, where the receipt is understood."""

from collections.abc import Mapping, Set
from typing import Any, Final

from core.whatsapp.bodies import OURS, Walk
from core.whatsapp.named import named_in

# A card beside receipts is of who got the message; where the receipt was not understood, its reader says so.
_OF_RECEIPTS: Final = OURS | {"statuses", "contacts"}
_OF_RECEIPT: Final = frozenset(
    {
        "id", "status", "timestamp", "recipient_id", "recipient_user_id", "recipient_parent_user_id", "recipient_type",
        "recipient_identity_key_hash", "biz_opaque_callback_data", "conversation", "pricing", "errors", "type",
    }
)  # fmt: skip
# Known as well, but not who the message went to: that was the group.
OF_PARTICIPANT: Final = frozenset(
    {"recipient_participant_id", "recipient_participant_user_id", "recipient_participant_parent_user_id"}
)
_NONE: Final[frozenset[str]] = frozenset()


def mentioned(walked: Walk) -> frozenset[str]:
    """Returns what names people in a body beside its receipts."""
    told = [part for topic, change, _ in walked.changes if (part := _beside_receipts(topic, change)) is not None]
    told += [{key: holder[key]} for holder, key in walked.loose_ends]
    return frozenset(named_in(told)) if told else frozenset()


def keys_beside(receipt: Mapping[str, Any]) -> Set[str]:
    """Returns the keys of a receipt that may name others, known or not; of almost all receipts there are none."""
    return _NONE if receipt.keys() <= _OF_RECEIPT else receipt.keys() - _OF_RECEIPT


def named_beside(receipt: Mapping[str, Any], keys: Set[str]) -> frozenset[str]:
    """Returns what names people under these keys of a receipt: they need not be who got the message."""
    return frozenset(named_in({key: receipt[key] for key in keys}))


def _beside_receipts(topic: str, change: Mapping[str, Any]) -> object:
    value = change.get("value")
    if topic != "messages" or not isinstance(value, dict):
        return value
    has_receipts = _are_receipts(value.get("statuses"))
    if has_receipts and value.keys() <= _OF_RECEIPTS:
        return None  # as almost all bodies are
    return {key: part for key, part in value.items() if key not in (_OF_RECEIPTS if has_receipts else OURS)}


def _are_receipts(statuses: object) -> bool:
    return isinstance(statuses, list) and bool(statuses) and all(isinstance(item, dict) for item in statuses)
