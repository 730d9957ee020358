"""Who may call: roles, keys and what is kept of them."""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

SECRET_BYTES = 32
_PREFIX_LENGTH = 17  # "chappe_v_" and eight characters: enough to tell keys apart, far too few to guess the rest


class Role(StrEnum):
    """Says what callers may do; each role may also do what the ones before it may."""

    VIEWER = "VIEWER"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"

    def may_act_as(self, needed: "Role") -> bool:
        """Returns whether this role is enough where another is needed."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Says whose call is being served."""

    api_key_id: UUID
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """Describes a key without holding it: only its hash is kept."""

    id: UUID
    display_name: str
    role: Role
    key_prefix: str
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None

    def is_valid(self, at: datetime) -> bool:
        """Returns whether the key opens the door at that moment."""
        return self.revoke_time is None and (self.expire_time is None or at < self.expire_time)


def make_key(role: Role, secret: bytes) -> str:
    """Writes a key from 32 random bytes: ``chappe_``, the role's initial, and 43 characters of base64url.

    Raises ValueError when the secret has another length.
    """
    if len(secret) != SECRET_BYTES:
        raise ValueError("A key is made from 32 random bytes.")
    text = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    return f"chappe_{role[0].lower()}_{text}"


def key_hash(key: str) -> bytes:
    """Returns the SHA-256 of a key; its 256 random bits need neither salt nor stretching."""
    return hashlib.sha256(key.encode()).digest()


def key_prefix(key: str) -> str:
    """Returns the first characters of a key, by which a list tells keys apart."""
    return key[:_PREFIX_LENGTH]
