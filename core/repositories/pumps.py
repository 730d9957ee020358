"""Who pumps which sender, on one connection; the statements are in sql/queries/pumps.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from uuid import UUID

from core.db import Connection
from core.domain.arrivals import Left
from core.queries import load

SQL = load("pumps")


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpedSender:
    """What a pump must know of its sender; the token stands behind `credential_reference`."""

    id: UUID
    phone_number_id: str
    credential_reference: str
    messages_per_second: float


class Pumps:
    """Reads and moves the leases of pumps."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def acquire_pump(self, *, sender_id: UUID, slot: int, holder: str, seconds: float) -> Left | None:
        """Takes the lease of a sender's slot and returns what others left behind; None when another run holds it."""
        row = await self._connection.fetchrow(SQL["acquire_pump"], sender_id, slot, holder, seconds)
        if row is None:
            return None
        return Left(
            name=row["release_time"],
            counted=row["left_seconds"],
            age=inf if row["release_age"] is None else row["release_age"],
            silence=inf if row["silence"] is None else row["silence"],
        )

    async def renew_pump(self, *, sender_id: UUID, slot: int, holder: str, seconds: float) -> bool:
        """Renews the lease of a sender's slot; False when another run has taken it since."""
        return await self._connection.fetchval(SQL["renew_pump"], sender_id, slot, holder, seconds) is not None

    async def release_pump(
        self, *, sender_id: UUID, slot: int, holder: str, left_seconds: Sequence[float]
    ) -> datetime | None:
        """Ends this run's lease and returns when; None if it had it no longer."""
        released: datetime | None = await self._connection.fetchval(
            SQL["release_pump"], sender_id, slot, holder, left_seconds
        )
        return released

    async def list_due_senders(self) -> tuple[UUID, ...]:
        """Returns the senders that have something to send and no live pump."""
        return tuple(row["id"] for row in await self._connection.fetch(SQL["list_due_senders"]))

    async def get_pumped_sender(self, sender_id: UUID) -> PumpedSender | None:
        """Returns an active sender; None when it is paused or gone."""
        row = await self._connection.fetchrow(SQL["get_pumped_sender"], sender_id)
        return None if row is None else PumpedSender(**dict(row))

    async def lock_keeper(self, number: int) -> bool:
        """Takes the keeper's lock until the transaction ends; False when another process keeps house."""
        return bool(await self._connection.fetchval(SQL["lock_keeper"], number))

    async def beat(self) -> None:
        """Shows that the keeper lives; whoever did not for three seconds has lost its lock."""
        await self._connection.execute(SQL["beat"])
