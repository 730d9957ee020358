"""Reads and changes our own WhatsApp numbers on one connection."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from core.db import Connection, Row
from core.domain.errors import AlreadyExists, NotFound, WrongState
from core.domain.senders import Quality, Rate, Sender, SenderDraft, SenderInfo, SenderState, ThroughputLevel
from core.domain.time_ranges import OLDEST
from core.queries import load

SQL = load("senders")


class Senders:
    """Keeps the numbers that messages go out from."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_sender(self, sender_id: UUID) -> Sender:
        """Reads one sender; refuses with ``SENDER_NOT_FOUND``."""
        return _found(sender_id, await self._connection.fetchrow(SQL["get_sender"], sender_id))

    async def lock_rate(self, sender_id: UUID) -> Rate:
        """Reads how fast it may send; nobody else changes that before the end of the transaction."""
        row = await self._connection.fetchrow(SQL["lock_rate"], sender_id)
        if row is None:
            raise _unknown(sender_id)
        return Rate(
            messages_per_second=row["messages_per_second"],
            chosen=row["chosen_messages_per_second"],
            level=ThroughputLevel(row["throughput_level"]),
        )

    async def list_senders(self, *, limit: int, after: UUID | None = None) -> list[Sender]:
        """Lists senders, oldest first, newer than ``after``."""
        rows = await self._connection.fetch(SQL["list_senders"], after or OLDEST, limit)
        return [_sender(row) for row in rows]

    async def create_sender(self, draft: SenderDraft, *, at: datetime) -> Sender:
        """Creates a sender; refuses with ``SENDER_ALREADY_EXISTS`` when its number id is known."""
        columns = (draft.display_name, draft.phone_number_id, draft.whatsapp_account_id, draft.credential_reference)
        rate = Rate().choose(draft.messages_per_second)
        try:
            row = await self._connection.fetchrow(
                SQL["create_sender"], *columns, rate.messages_per_second, at, rate.chosen
            )
        except asyncpg.UniqueViolationError:
            text = "A sender with that phone_number_id exists."
            raise AlreadyExists("SENDER_ALREADY_EXISTS", text, phone_number_id=draft.phone_number_id) from None
        return _found(OLDEST, row)

    async def update_sender(
        self,
        sender_id: UUID,
        *,
        display_name: str | None,
        credential_reference: str | None,
        rate: Rate | None,
        at: datetime,
    ) -> Sender:
        """Writes what is not None."""
        given = (rate.messages_per_second, at, rate.chosen) if rate else (None, at, None)
        row = await self._connection.fetchrow(
            SQL["update_sender"], sender_id, display_name, credential_reference, *given
        )
        return _found(sender_id, row)

    async def delete_sender(self, sender_id: UUID) -> None:
        """Deletes a sender that was never used; refuses with ``SENDER_IN_USE``."""
        try:
            deleted = await self._connection.fetchval(SQL["delete_sender"], sender_id)
        except asyncpg.ForeignKeyViolationError:
            text = "The sender has campaigns or replies; it can be paused, not deleted."
            raise WrongState("SENDER_IN_USE", text, sender=f"senders/{sender_id}") from None
        if deleted is None:
            raise _unknown(sender_id)

    async def pause_sender(self, sender_id: UUID, *, reason: str, at: datetime) -> Sender:
        """Stops all it has to send; one that is paused keeps its reason."""
        return _found(sender_id, await self._connection.fetchrow(SQL["pause_sender"], sender_id, reason, at))

    async def resume_sender(self, sender_id: UUID, *, at: datetime) -> Sender:
        """Lets it send again."""
        return _found(sender_id, await self._connection.fetchrow(SQL["resume_sender"], sender_id, at))

    async def refresh_sender(
        self, sender_id: UUID, info: SenderInfo, *, rate: Rate, asked: datetime, at: datetime
    ) -> Sender:
        """Writes what WhatsApp says; what changed since its update time was `asked` has WhatsApp asked once more."""
        row = await self._connection.fetchrow(
            SQL["refresh_sender"],
            sender_id,
            info.phone_number,
            info.verified_name,
            info.quality,
            info.throughput_level,
            info.messaging_limit,
            rate.messages_per_second,
            at,
            asked,
            rate.chosen,
        )
        return _found(sender_id, row)

    async def forget_refresh(self, numbers: Sequence[tuple[str, str]]) -> None:
        """Has WhatsApp asked anew about numbers, each given as account and digits."""
        accounts, digits = [account for account, _ in numbers], [number for _, number in numbers]
        await self._connection.execute(SQL["forget_refresh"], accounts, digits)

    async def forget_refresh_of(self, sender_id: UUID) -> None:
        """Has WhatsApp asked anew about a sender."""
        await self._connection.execute(SQL["forget_refresh_of"], sender_id)

    async def restrict_countries(self, told: Sequence[tuple[UUID, str, datetime]]) -> list[str]:
        """Notes that a sender's account may not send to a country, and since when; returns which are news."""
        rows = await self._connection.fetch(SQL["restrict_countries"], *map(list, zip(*told, strict=True)))
        return [row["country_code"] for row in rows]

    async def list_neighbours(self, sender_id: UUID) -> tuple[UUID, ...]:
        """Returns the senders of a sender's WhatsApp account, itself among them."""
        return tuple(row["id"] for row in await self._connection.fetch(SQL["list_neighbours"], sender_id))

    async def list_sender_ids(self) -> tuple[UUID, ...]:
        """Returns all senders there are."""
        return tuple(row["id"] for row in await self._connection.fetch(SQL["list_sender_ids"]))

    async def list_unrefreshed(self, *, limit: int) -> tuple[UUID, ...]:
        """Returns active senders about which WhatsApp is to be asked."""
        return tuple(row["id"] for row in await self._connection.fetch(SQL["list_unrefreshed"], limit))


def _found(sender_id: UUID, row: Row | None) -> Sender:
    if row is None:
        raise _unknown(sender_id)
    return _sender(row)


def _unknown(sender_id: UUID) -> NotFound:
    return NotFound("SENDER_NOT_FOUND", "There is no such sender.", sender=f"senders/{sender_id}")


def _sender(row: Row) -> Sender:
    return Sender(
        **dict(row)
        | {
            "state": SenderState(row["state"]),
            "quality": Quality(row["quality"]),
            "throughput_level": ThroughputLevel(row["throughput_level"]),
        }
    )
