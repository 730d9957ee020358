"""Receipts on their way to message rows: locking, moving, noting doubles, parking what has no row yet."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from core.db import Connection, Row
from core.domain.contacts import ABSENT_AFTER_DAYS, WhatsappState
from core.domain.messages import MessageRef, MessageState
from core.domain.receipts import Price, Progress, Standing
from core.queries import load
from core.repositories.arrays import bigints

SQL = load("receipts")

_NO_PRICE: Final = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Says whose a WhatsApp id is."""

    reference: MessageRef
    contact_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Holds a receipt, written as JSON, that waits for its message until `expire_time`; `traces` say whose it is.

    It has an `id` once it was parked.
    """

    id: UUID | None = None
    delivery_id: UUID
    receipt: Mapping[str, Any]
    try_count: int
    expire_time: datetime
    not_before_time: datetime | None = None
    traces: Sequence[int] = ()


class Receipts:
    """Moves messages by receipts on one connection; what it locks stays locked until the transaction ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_messages(self, references: Sequence[MessageRef]) -> list[Standing]:
        """Locks messages in key order and returns where they stand; those that do not exist are left out."""
        rows = await self._connection.fetch(
            SQL["lock_messages"],
            [reference.campaign_id for reference in references],
            [reference.message_id for reference in references],
        )
        return [_standing(row) for row in rows]

    async def move_messages(self, moves: Sequence[tuple[Standing, Standing]]) -> None:
        """Writes new standings over old ones, each only if the message still is in its old state."""
        columns = [
            (
                new.campaign_id, new.message_id, old.state, new.state, new.reason, new.error_code, new.error_title,
                new.whatsapp_message_id, new.accept_time, new.send_time, new.deliver_time, new.read_time, new.fail_time,
                new.failed_attempt, new.retry_count, new.not_before_time, *(new.price or _NO_PRICE),
            )
            for old, new in moves
        ]  # fmt: skip
        await self._connection.execute(SQL["move_messages"], *map(list, zip(*columns, strict=True)))

    async def find_messages(self, whatsapp_message_ids: Sequence[str]) -> dict[str, Found]:
        """Finds whose WhatsApp ids these are; unknown ones are left out."""
        rows = await self._connection.fetch(SQL["find_messages"], whatsapp_message_ids)
        return {row["whatsapp_message_id"]: _found(row) for row in rows}

    async def note_attempts(self, attempts: Sequence[tuple[Progress, Standing]]) -> None:
        """Notes superseded attempts as accepted, and when they failed, if that is told."""
        await self._connection.execute(
            SQL["note_attempts"],
            *_keys([told for told, _ in attempts]),
            [told.whatsapp_message_id if standing.contact_id else None for told, standing in attempts],
            [told.fail_time for told, _ in attempts],
        )

    async def fail_attempts(self, answered: Sequence[tuple[Progress, Standing]]) -> None:
        """Keeps attempts whose failure is answered with another try."""
        await self._connection.execute(
            SQL["fail_attempts"],
            *_keys([told for told, _ in answered]),
            [told.whatsapp_message_id if standing.contact_id else None for told, standing in answered],
            [told.fail_time for told, _ in answered],
        )

    async def revive_attempts(self, seen: Sequence[Progress]) -> None:
        """Notes that attempts which were taken for failed were seen after all."""
        await self._connection.execute(SQL["revive_attempts"], *_keys(seen))

    async def prove_doubles(self, newer: Sequence[tuple[MessageRef, datetime | None]]) -> set[UUID]:
        """Marks older attempts that were accepted as doubles of these, accepted then; without a time, now.

        Returns the campaigns of those it marked.
        """
        rows = await self._connection.fetch(
            SQL["prove_doubles"],
            [ref.campaign_id for ref, _ in newer],
            [ref.message_id for ref, _ in newer],
            [ref.attempt for ref, _ in newer],
            [accept_time for _, accept_time in newer],
        )
        return {row["campaign_id"] for row in rows}

    async def prove_superseded_doubles(self, references: Sequence[MessageRef]) -> int:
        """Marks superseded attempts of locked messages as doubles of later ones, and returns how many it marked."""
        rows = await self._connection.fetch(
            SQL["prove_superseded_doubles"],
            [reference.campaign_id for reference in references],
            [reference.message_id for reference in references],
        )
        return len(rows)

    async def park_receipts(self, parked: Sequence[Parked]) -> None:
        """Keeps receipts for later."""
        await self._connection.execute(
            SQL["park_receipts"],
            [item.delivery_id for item in parked],
            [dict(item.receipt) for item in parked],
            [item.try_count for item in parked],
            [item.not_before_time for item in parked],
            [item.expire_time for item in parked],
            [bigints(item.traces) for item in parked],
        )

    async def take_parked_receipts(self, *, now: datetime, limit: int) -> list[Parked]:
        """Takes receipts that are due out of the park, within this transaction."""
        return [_parked(row) for row in await self._connection.fetch(SQL["take_parked_receipts"], now, limit)]

    async def take_parked_receipt(self, parked_id: UUID) -> list[Parked]:
        """Takes one receipt out of the park, within this transaction; none when somebody else has it."""
        return [_parked(row) for row in await self._connection.fetch(SQL["take_parked_receipt"], parked_id)]

    async def mark_whatsapp_states(
        self, told: Mapping[UUID, tuple[WhatsappState, datetime]], *, identified: Set[UUID] = frozenset()
    ) -> list[UUID]:
        """Notes of contacts whether they could be reached, and when; it takes refusals on several days to be ABSENT.

        Returns those without WhatsApp's id among the `identified`, of whom it was told.
        """
        states, times = zip(*told.values(), strict=True)
        days = [time.astimezone(UTC).date() for time in times]
        has_user_id = [contact_id in identified for contact_id in told]
        rows = await self._connection.fetch(
            SQL["mark_whatsapp_states"], list(told), list(states), days, ABSENT_AFTER_DAYS, has_user_id
        )
        return [row["id"] for row in rows]


def _keys(told: Sequence[Progress]) -> tuple[list[UUID], list[UUID], list[int]]:
    references = [one.reference for one in told]
    return (
        [reference.campaign_id for reference in references],
        [reference.message_id for reference in references],
        [reference.attempt for reference in references],
    )


def _standing(row: Row) -> Standing:
    return Standing(
        campaign_id=row["campaign_id"],
        message_id=row["id"],
        sender_id=row["sender_id"],
        contact_id=row["contact_id"],
        attempt=row["attempt"],
        state=MessageState(row["state"]),
        reason=row["reason"],
        error_code=row["error_code"],
        error_title=row["error_title"],
        price=None if row["price_category"] is None else Price(row["is_billable"], row["price_category"]),
        whatsapp_message_id=row["whatsapp_message_id"],
        accept_time=row["accept_time"],
        send_time=row["send_time"],
        deliver_time=row["deliver_time"],
        read_time=row["read_time"],
        fail_time=row["fail_time"],
        failed_attempt=row["failed_attempt"],
        retry_count=row["retry_count"],
        not_before_time=row["not_before_time"],
        has_rival=row["has_rival"],
        is_cancelled=row["is_cancelled"],
    )


def _found(row: Row) -> Found:
    reference = MessageRef(campaign_id=row["campaign_id"], message_id=row["message_id"], attempt=row["attempt"])
    return Found(reference=reference, contact_id=row["contact_id"])


def _parked(row: Row) -> Parked:
    return Parked(
        id=row["id"],
        delivery_id=row["delivery_id"],
        receipt=row["receipt"],
        try_count=row["try_count"],
        expire_time=row["expire_time"],
        traces=row["traces"],
    )
