"""Keys of callers in PostgreSQL; the keys themselves are nowhere, only their hashes."""

from datetime import datetime
from uuid import UUID

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
        self,
        *,
        id: UUID,  # noqa: A002
        display_name: str,
        role: Role,
        key_prefix: str,
        key_hash: bytes,
        expire_time: datetime | None = None,
    ) -> ApiKey:
        """Keeps the hash of a new key."""
        row = await self._connection.fetchrow(
            SQL["add"], id, display_name, role.name, key_prefix, key_hash, expire_time
        )
        return _api_key(row)

    async def find(self, key_hash: bytes) -> ApiKey | None:
        """Returns the key with that hash, valid or not."""
        row = await self._connection.fetchrow(SQL["find"], key_hash)
        return _api_key(row) if row else None

    async def list_all(self, *, limit: int = 1000) -> list[ApiKey]:
        """Returns the newest keys first."""
        return [_api_key(row) for row in await self._connection.fetch(SQL["list_all"], limit)]

    async def revoke(self, id: UUID, *, at: datetime) -> ApiKey:  # noqa: A002
        """Ends a key; refuses with ``API_KEY_NOT_FOUND``."""
        row = await self._connection.fetchrow(SQL["revoke"], id, at)
        if row is None:
            raise NotFound("API_KEY_NOT_FOUND", f"There is no key {id}.", api_key=id)
        return _api_key(row)


def _api_key(row: Row | None) -> ApiKey:
    assert row is not None  # noqa: S101  # INSERT … RETURNING always answers
    return ApiKey(
        id=row["id"],
        display_name=row["display_name"],
        role=Role[row["role"]],
        key_prefix=row["key_prefix"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        revoke_time=row["revoke_time"],
    )
