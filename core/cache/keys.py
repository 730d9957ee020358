"""The names of everything the cache keeps in Redis; what does not begin with ``cache:`` is out of its reach."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

PREFIX = "cache:"
_GENERATION = PREFIX + "generation:"
# Deleted, though it is never there, to learn whether a server takes writes at all.
NOTHING = PREFIX + "nothing"


class ForeignKeyError(Exception):
    """Says that the cache was about to touch a key that is not its own: a mistake of ours, never a caller's."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Names one reply: the method, the bytes of the request, and the collections the reply is made of."""

    method: str
    request: bytes
    collections: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the request, as hexadecimal digits."""
        return hashlib.sha256(self.request).hexdigest()

    @property
    def key(self) -> str:
        """The key without its stamp."""
        return f"{PREFIX}reply:{self.method}:{self.digest}"

    @property
    def lease(self) -> str:
        """The key, without its stamp, of whoever is making the reply now."""
        return f"{PREFIX}lease:{self.method}:{self.digest}"


def campaign_generation(campaign_id: UUID | str) -> str:
    """Names the collection that is one campaign with its messages and counters."""
    return f"campaigns/{campaign_id}"


def generation_keys(collections: Iterable[str]) -> list[str]:
    """Returns where the generations of these collections are kept."""
    return own([_GENERATION + name for name in collections])


def own(keys: list[str]) -> list[str]:
    """Returns the keys as they are; raises ForeignKeyError when one of them is not the cache's."""
    for key in keys:
        if not key.startswith(PREFIX):
            raise ForeignKeyError(key.partition(":")[0])
    return keys
