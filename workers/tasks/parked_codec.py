"""Parked receipts as JSON and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.domain.messages import ReceiptState
from core.domain.receipts import Price, Receipt
from core.whatsapp.payloads import callback_data, parse_callback_data


def pack(receipt: Receipt) -> dict[str, Any]:
    """Returns the receipt as a JSON object."""
    ref = receipt.reference
    return {
        "whatsapp_message_id": receipt.whatsapp_message_id,
        "state": receipt.state.value,
        "receipt_time": receipt.receipt_time.isoformat(),
        "reference": callback_data(ref.campaign_id, ref.message_id, ref.attempt) if ref else "",
        "error_code": receipt.error_code,
        "error_title": receipt.error_title,
        "price": list(receipt.price) if receipt.price else None,
    }


def unpack(packed: Mapping[str, Any]) -> Receipt:
    """Returns the receipt that was packed."""
    return Receipt(
        whatsapp_message_id=packed["whatsapp_message_id"],
        state=ReceiptState(packed["state"]),
        receipt_time=datetime.fromisoformat(packed["receipt_time"]),
        reference=parse_callback_data(packed["reference"]),
        error_code=packed["error_code"],
        error_title=packed["error_title"],
        price=Price(*packed["price"]) if packed.get("price") else None,
    )
