"""Simulator, message ids: `wamid.` and base64 of a small record that carries the phone digits, as WhatsApp's own do."""

from __future__ import annotations

import base64
from typing import Final

_OUTGOING: Final = b"\x15\x02\x00\x11\x18\x12"
_INCOMING: Final = b"\x15\x02\x00\x12\x18\x14"


def outgoing(*, digits: str, nonce: bytes) -> str:
    """Returns the id of a message we accept; `nonce` gives 9 bytes (18 hex characters)."""
    return _pack(digits, _OUTGOING, nonce[:9])


def incoming(*, digits: str, nonce: bytes) -> str:
    """Returns the id of a message a person sends; `nonce` gives 10 bytes (20 hex characters)."""
    return _pack(digits, _INCOMING, nonce[:10])


def _pack(digits: str, kind: bytes, nonce: bytes) -> str:
    person = digits.encode()
    record = b"\x1c\x18" + bytes([len(person)]) + person + kind + nonce.hex().upper().encode() + b"\x00"
    return "wamid." + base64.b64encode(record).decode()
