"""Who changed what: one row per successful mutation, written in its transaction."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """Says that a key called a method on a resource."""

    id: UUID
    api_key_id: UUID
    method: str
    resource_name: str
    request_id: str
    event_time: datetime


class Audit:
    """Notes changes on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, *, api_key_id: UUID, method: str, resource_name: str, request_id: str) -> None:
        """Notes a change."""
        await self._connection.execute(SQL["add"], api_key_id, method, resource_name, request_id)

    async def list_of_resource(self, resource_name: str, *, limit: int = 100) -> list[AuditEvent]:
        """Returns the newest changes of a resource first."""
        rows = await self._connection.fetch(SQL["list_of_resource"], resource_name, limit)
        return [AuditEvent(**dict(row)) for row in rows]
