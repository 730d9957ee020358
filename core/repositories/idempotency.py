"""Replies to mutations by request id, so that the same call again gets the same reply."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("idempotency")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """Names one request: whose it is, which method it calls, and the id the caller gave it."""

    api_key_id: UUID
    method: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Holds what was asked, as a digest, what was answered, and what that outdated; erasure empties the answer."""

    digest: bytes
    reply: bytes | None
    outdated: Sequence[str]


class Idempotency:
    """Reserves request ids and keeps their replies on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def reserve(self, key: RequestKey, *, digest: bytes) -> bool:
        """Takes the request id until the end of the transaction; false when it has been answered."""
        taken = await self._connection.fetchval(SQL["reserve"], key.api_key_id, key.method, key.request_id, digest)
        return taken is True

    async def find(self, key: RequestKey) -> Answered | None:
        """Returns what was answered under that request id."""
        row = await self._connection.fetchrow(SQL["find"], key.api_key_id, key.method, key.request_id)
        if row is None:
            return None
        return Answered(digest=row["request_digest"], reply=row["reply"], outdated=row["outdated"])

    async def answer(self, key: RequestKey, answered: Answered, *, contact_id: UUID | None = None) -> None:
        """Keeps the reply to a request id this transaction has reserved, and the contact it tells of."""
        await self._connection.execute(
            SQL["answer"],
            key.api_key_id,
            key.method,
            key.request_id,
            answered.reply,
            contact_id,
            list(answered.outdated),
        )

    async def forget_contact(self, contact_id: UUID) -> None:
        """Empties the replies that tell of an erased person."""
        await self._connection.execute(SQL["forget_contact"], contact_id)

    async def purge(self, *, before: datetime, limit: int) -> int:
        """Removes old replies and returns how many."""
        done = await self._connection.execute(SQL["purge"], before, limit)
        return int(done.rpartition(" ")[2])
