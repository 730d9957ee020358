"""Who may speak to the webhook door: WhatsApp's signature over the raw body, and the handshake's token."""

import hashlib
import hmac
from collections.abc import Sequence

_PREFIX = b"sha256="


def is_signed(body: bytes, header: bytes, *, secrets: Sequence[bytes]) -> bool:
    """Tells whether the header is the HMAC-SHA256 of exactly these bytes under one of the app secrets.

    Each secret is compared in constant time; without any secret nothing is signed.
    """
    matches = [hmac.compare_digest(_PREFIX + _digest(secret, body), header) for secret in secrets if secret]
    return any(matches)


def sign(body: bytes, secret: bytes) -> bytes:
    """Returns the value of ``X-Hub-Signature-256`` for a body."""
    return _PREFIX + _digest(secret, body)


def is_token(given: str, expected: str) -> bool:
    """Compares the handshake's token in constant time; an empty expected token matches nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def app_secrets(setting: str) -> tuple[bytes, ...]:
    """Reads the setting: one app secret, or two with a comma between them while the secret is being changed."""
    return tuple(part.strip().encode() for part in setting.split(",") if part.strip())


def _digest(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, hashlib.sha256).hex().encode()
