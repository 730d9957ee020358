"""Making, listing and ending the keys of callers; a key itself is shown once and kept nowhere."""

import secrets
from datetime import datetime

from core.domain import access
from core.domain.access import ApiKey, Role
from core.repositories.rooms import Store


async def create_key(store: Store, *, role: str, display_name: str = "", expire_time: datetime | None = None) -> str:
    """Makes a key for a role (VIEWER, OPERATOR, ADMIN) and returns it; raises ValueError for another word."""
    key = access.make_key(Role(role), secrets.token_bytes(access.SECRET_BYTES))
    async with store.transaction() as rooms:
        await rooms.api_keys.add(
            display_name=display_name,
            role=Role(role),
            key_prefix=access.key_prefix(key),
            key_hash=access.key_hash(key),
            expire_time=expire_time,
        )
    return key


async def list_keys(store: Store) -> list[ApiKey]:
    """Returns what is known of each key, the newest first."""
    async with store.connection() as rooms:
        return await rooms.api_keys.list_all()


async def revoke_key(store: Store, *, key_prefix: str) -> ApiKey:
    """Ends the key with those first characters, and streams it opened, within ten seconds.

    Refuses with ``API_KEY_NOT_FOUND``.
    """
    async with store.transaction() as rooms:
        return await rooms.api_keys.revoke(key_prefix)
