"""Claiming, settling and doubting messages, on one connection; the statements are in sql/queries/sending.sql."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from core.db import Connection, Row
from core.domain.direct import Directed, load_content
from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Claimed, Settlement
from core.queries import load

SQL = load("sending")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCampaign:
    """What a pump must know of a campaign; `template_name` is None in a DIRECT one.

    To the `restricted_countries` its account may not send, as WhatsApp said within a day.
    """

    id: UUID
    kind: str
    bindings: tuple[Mapping[str, Any], ...]
    messages_per_second: float | None
    template_name: str | None
    language_code: str | None
    parameter_format: str | None
    restricted_countries: frozenset[str]

    @property
    def direct(self) -> bool:
        """Whether this is the hidden home of single messages."""
        return self.kind == "DIRECT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The last message claimed from a campaign: the next claim starts behind it and skips its dead index entries."""

    not_before_time: datetime
    message_id: UUID


BOTTOM = Floor(not_before_time=datetime(1970, 1, 1, tzinfo=UTC), message_id=UUID(int=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one claim took: messages to send, how many it skipped, and where the next one starts."""

    messages: tuple[Claimed, ...]
    skipped_count: int
    floor: Floor | None

    @property
    def count(self) -> int:
        """How many rows were due."""
        return len(self.messages) + self.skipped_count


class Sending:
    """Moves messages through one attempt."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list_running_campaigns(self, sender_id: UUID) -> tuple[RunningCampaign, ...]:
        """Returns what the sender's pump may claim from, the DIRECT campaign first."""
        rows = await self._connection.fetch(SQL["list_running_campaigns"], sender_id)
        return tuple(_running_campaign(row) for row in rows)

    async def find_due_campaigns(self, campaign_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Returns those of the campaigns that have a message to send now."""
        rows = await self._connection.fetch(SQL["find_due_campaigns"], list(campaign_ids))
        return frozenset(row["id"] for row in rows)

    async def claim_messages(
        self, floors: Mapping[UUID, Floor], *, limit: int, lease_seconds: float
    ) -> Mapping[UUID, Claim]:
        """Takes at most `limit` due messages of each campaign, from its floor on, for one attempt each."""
        behind = floors.values()
        rows = await self._connection.fetch(
            SQL["claim_messages"],
            list(floors),
            limit,
            lease_seconds,
            [floor.not_before_time for floor in behind],
            [floor.message_id for floor in behind],
        )
        by_campaign: dict[UUID, list[Row]] = {campaign_id: [] for campaign_id in floors}
        for row in rows:
            by_campaign[row["campaign_id"]].append(row)
        return {campaign_id: _claim(found) for campaign_id, found in by_campaign.items()}

    async def settle_messages(self, settlements: Sequence[Settlement]) -> frozenset[MessageRef]:
        """Writes what became of attempts; returns those that were the newest of their messages, and open."""
        columns = zip(*(_columns(settlement) for settlement in settlements), strict=True)
        rows = await self._connection.fetch(SQL["settle_messages"], *(list(column) for column in columns))
        return frozenset(
            MessageRef(campaign_id=row["campaign_id"], message_id=row["id"], attempt=row["attempt"]) for row in rows
        )

    async def record_late_accepts(self, settlements: Sequence[Settlement]) -> None:
        """Keeps WhatsApp's ids of superseded attempts that were taken after all; their messages must be locked."""
        await self._connection.execute(SQL["record_late_accepts"], *_late(settlements))

    async def settle_by_late_accepts(self, settlements: Sequence[Settlement]) -> None:
        """Counts as accepted what would be sent again though a superseded attempt was taken; needs the same lock."""
        states = [settlement.state.value for settlement in settlements]
        await self._connection.execute(SQL["settle_by_late_accepts"], *_late(settlements), states)

    async def expire_leases(self, limit: int) -> int:
        """Puts messages into doubt whose lease has ended; returns how many."""
        return len(await self._connection.fetch(SQL["expire_leases"], limit))


def _late(settlements: Sequence[Settlement]) -> tuple[list[UUID], list[UUID], list[int], list[str | None]]:
    refs = [settlement.ref for settlement in settlements]
    return (
        [ref.campaign_id for ref in refs],
        [ref.message_id for ref in refs],
        [ref.attempt for ref in refs],
        [settlement.whatsapp_message_id for settlement in settlements],
    )


def _running_campaign(row: Row) -> RunningCampaign:
    countries = frozenset(row["restricted_countries"])
    return RunningCampaign(**{**row, "bindings": tuple(row["bindings"]), "restricted_countries": countries})


def _claim(rows: Sequence[Row]) -> Claim:
    taken = tuple(_claimed(row) for row in rows if row["state"] == MessageState.SENDING)
    return Claim(messages=taken, skipped_count=len(rows) - len(taken), floor=_floor(rows))


def _claimed(row: Row) -> Claimed:
    directed = _directed(row) if isinstance(row["parameters"], dict) else None
    return Claimed(
        ref=MessageRef(campaign_id=row["campaign_id"], message_id=row["id"], attempt=row["attempt"]),
        contact_id=row["contact_id"],
        retry_count=row["retry_count"],
        phone_number=row["phone_number"],
        whatsapp_user_id=row["whatsapp_user_id"],
        parameters=directed.content.values if directed else tuple(row["parameters"] or ()),
        directed=directed,
    )


def _directed(row: Row) -> Directed:
    return Directed(
        content=load_content(row["parameters"]),
        template_name=row["template_name"] or "",
        language_code=row["language_code"] or "",
        parameter_format=row["parameter_format"] or "",
    )


def _floor(rows: Sequence[Row]) -> Floor | None:
    if not rows:
        return None
    last = max(rows, key=lambda row: (row["not_before_time"], row["id"]))
    return Floor(not_before_time=last["not_before_time"], message_id=last["id"])


def _columns(settlement: Settlement) -> tuple[object, ...]:
    return (
        settlement.ref.campaign_id,
        settlement.ref.message_id,
        settlement.ref.attempt,
        settlement.state.value,
        settlement.reason,
        settlement.error_code,
        settlement.error_title,
        settlement.whatsapp_message_id,
        settlement.delay,
        settlement.counts,
    )
