"""Pauses that errors bring about, on one connection; the statements are in sql/queries/pauses.sql."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("pauses")


class Pauses:
    """Pauses running campaigns, as far as the fault of an error reaches; each returns how many.

    What was started or resumed after `fail_time` runs on: of that it says nothing. None: it failed just now. After
    `probe_seconds`, if there are any, campaigns run on to see whether the fault is over.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pause_template_campaigns(
        self, *, campaign_id: UUID, reason: str, code: int, fail_time: datetime | None
    ) -> int:
        """Pauses the campaigns that send the same template as this one."""
        given = (campaign_id, reason, code, fail_time)
        return len(await self._connection.fetch(SQL["pause_template_campaigns"], *given))

    async def pause_credential_campaigns(
        self, *, sender_id: UUID, reason: str, code: int, fail_time: datetime | None
    ) -> int:
        """Pauses the campaigns of all senders that share this sender's credential."""
        given = (sender_id, reason, code, fail_time)
        return len(await self._connection.fetch(SQL["pause_credential_campaigns"], *given))

    async def pause_account_campaigns(
        self,
        *,
        sender_id: UUID,
        reason: str,
        code: int,
        fail_time: datetime | None,
        probe_seconds: float = 0.0,
        ends_with_restriction: bool = False,
    ) -> int:
        """Pauses the campaigns of this sender's WhatsApp account; until an announced end, if that ends the fault."""
        given = (sender_id, reason, code, probe_seconds, ends_with_restriction, fail_time)
        return len(await self._connection.fetch(SQL["pause_account_campaigns"], *given))

    async def pause_sender_campaigns(
        self, *, sender_id: UUID, reason: str, code: int, fail_time: datetime | None, probe_seconds: float = 0.0
    ) -> int:
        """Pauses the campaigns of one sender."""
        given = (sender_id, reason, code, probe_seconds, fail_time)
        return len(await self._connection.fetch(SQL["pause_sender_campaigns"], *given))

    async def pause_broken_campaign(
        self, *, campaign_id: UUID, reason: str, code: int, fail_time: datetime | None
    ) -> int:
        """Pauses a campaign that fails for reasons of its own."""
        given = (campaign_id, reason, code, fail_time)
        return len(await self._connection.fetch(SQL["pause_broken_campaign"], *given))

    async def list_run_times(self, campaign_ids: Collection[UUID]) -> dict[UUID, datetime]:
        """Returns since when, in whole seconds, campaigns run; without those started before that was kept."""
        rows = await self._connection.fetch(SQL["list_run_times"], list(campaign_ids))
        return {row["id"]: row["run_time"] for row in rows}

    async def pause_unusable_campaigns(
        self,
        whatsapp_template_ids: Sequence[str],
        *,
        states: Sequence[str],
        reason: str,
        code: int,
        known_codes: Sequence[int],
    ) -> int:
        """Pauses the campaigns of those among these templates that are in one of the states.

        One that stands still because of its template, with a known code, learns what became of it.
        """
        given = (list(whatsapp_template_ids), list(states), reason, code, list(known_codes))
        return len(await self._connection.fetch(SQL["pause_unusable_campaigns"], *given))

    async def pause_restricted_campaigns(
        self, whatsapp_account_id: str, *, reason: str, code: int, until: datetime | None, known_codes: Sequence[int]
    ) -> int:
        """Pauses the campaigns of an account; one that stands still because of the same learns until when."""
        rows = await self._connection.fetch(
            SQL["pause_restricted_campaigns"], whatsapp_account_id, reason, code, until, list(known_codes)
        )
        return len(rows)

    async def lock_announced_campaigns(
        self, whatsapp_template_ids: Sequence[str], whatsapp_account_ids: Sequence[str]
    ) -> None:
        """Locks all campaigns that announcements of these templates and accounts can move, before any is moved."""
        given = (list(whatsapp_template_ids), list(whatsapp_account_ids))
        await self._connection.fetch(SQL["lock_announced_campaigns"], *given)
