"""Keys of callers in PostgreSQL; the keys themselves are nowhere, only their hashes."""

from datetime import datetime
from typing import cast

from core.db import Connection, Row
from core.domain.access import ApiKey, Role
from core.domain.errors import NotFound
from core.queries import load

SQL = load("api_keys")


class ApiKeys:
    """Keeps, finds and ends keys on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, *, display_name: str, role: Role, key_prefix: str, key_hash: bytes, expire_time: datetime | None = None
    ) -> ApiKey:
        """Keeps the hash of a new key."""
        row = await self._connection.fetchrow(SQL["add"], display_name, role, key_prefix, key_hash, expire_time)
        return _api_key(cast("Row", row))

    async def find(self, key_hash: bytes) -> ApiKey | None:
        """Returns the key with that hash, valid or not."""
        row = await self._connection.fetchrow(SQL["find"], key_hash)
        return _api_key(row) if row else None

    async def list_all(self, *, limit: int = 1000) -> list[ApiKey]:
        """Returns the newest keys first."""
        return [_api_key(row) for row in await self._connection.fetch(SQL["list_all"], limit)]

    async def revoke(self, key_prefix: str) -> ApiKey:
        """Ends a key by its first characters; refuses with ``API_KEY_NOT_FOUND``."""
        row = await self._connection.fetchrow(SQL["revoke"], key_prefix)
        if row is None:
            raise NotFound("API_KEY_NOT_FOUND", "There is no key with those first characters.", key_prefix=key_prefix)
        return _api_key(row)


def _api_key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        key_prefix=row["key_prefix"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        revoke_time=row["revoke_time"],
    )
