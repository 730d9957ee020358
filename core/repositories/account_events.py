"""What WhatsApp announced of our accounts, on one connection; statements in sql/queries/account_events.sql."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.db import Connection
from core.queries import load

SQL = load("account_events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """Holds one announcement about an account, one of its numbers or templates; `topic` is the field that told it."""

    whatsapp_account_id: str
    topic: str
    event: str
    value: Mapping[str, Any] = field(default_factory=dict, repr=False)
    event_time: datetime


class AccountEvents:
    """Keeps announcements for some time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def keep_events(self, events: Sequence[Announced]) -> None:
        """Keeps announcements; one that is told again is kept once."""
        await self._connection.execute(
            SQL["keep_events"],
            [event.whatsapp_account_id for event in events],
            [event.topic for event in events],
            [event.event for event in events],
            [dict(event.value) for event in events],
            [event.event_time for event in events],
        )

    async def list_events(self, *, since: datetime, limit: int) -> list[Announced]:
        """Returns what came since a moment, the newest first."""
        rows = await self._connection.fetch(SQL["list_events"], since, limit)
        return [Announced(**dict(row)) for row in rows]

    async def delete_old_events(self, *, before: datetime, limit: int) -> int:
        """Forgets those that came before a moment among the oldest; returns how many."""
        done = await self._connection.execute(SQL["delete_old_events"], before, limit)
        return int(done.rpartition(" ")[2])
