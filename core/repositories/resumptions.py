"""Campaigns that run on because what paused them is over, on one connection; see sql/queries/resumptions.sql."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("resumptions")


class Resumptions:
    """Resumes campaigns by the end of what paused them, never what a user paused."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def date_runs(
        self, approvals: Sequence[tuple[str, datetime]], ends: Sequence[tuple[str, str, datetime]]
    ) -> None:
        """Has campaigns that ran all along count as run since what could have paused them ended.

        Of templates, by WhatsApp's ids, that are approved, since when; of accounts or, with digits, their numbers that
        may send again, since when. The caller has locked the campaigns.
        """
        given = [[each[place] for each in approvals] for place in range(2)]
        given += [[each[place] for each in ends] for place in range(3)]
        await self._connection.execute(SQL["date_runs"], *given)

    async def resume_template_campaigns(
        self, whatsapp_template_ids: Sequence[str], *, codes: Sequence[int], at: datetime
    ) -> list[UUID]:
        """Resumes the campaigns of those among these templates that are approved; returns which."""
        ids = list(whatsapp_template_ids)
        rows = await self._connection.fetch(SQL["resume_template_campaigns"], ids, list(codes), at)
        return [row["id"] for row in rows]

    async def resume_account_campaigns(
        self, whatsapp_account_ids: Sequence[str], *, codes: Sequence[int], at: datetime
    ) -> int:
        """Resumes the campaigns of accounts that may send again; returns how many."""
        ids = list(whatsapp_account_ids)
        return len(await self._connection.fetch(SQL["resume_account_campaigns"], ids, list(codes), at))

    async def resume_sender_campaigns(
        self, numbers: Sequence[tuple[str, str]], *, codes: Sequence[int], at: datetime
    ) -> int:
        """Resumes the campaigns of numbers, each given as account and digits, that may send again; returns how many."""
        accounts, digits = [account for account, _ in numbers], [number for _, number in numbers]
        return len(await self._connection.fetch(SQL["resume_sender_campaigns"], accounts, digits, list(codes), at))

    async def resume_due_campaigns(self, *, at: datetime) -> int:
        """Resumes the campaigns whose restriction was to end by now; returns how many."""
        return len(await self._connection.fetch(SQL["resume_due_campaigns"], at))
