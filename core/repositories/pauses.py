"""Pauses that errors bring about, on one connection; the statements are in sql/queries/pauses.sql."""

from uuid import UUID

from core.db import Connection
from core.queries import load

SQL = load("pauses")


class Pauses:
    """Pauses running campaigns, as far as the fault of an error reaches; each returns how many."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pause_template_campaigns(self, *, campaign_id: UUID, reason: str) -> int:
        """Pauses the campaigns that send the same template as this one."""
        return len(await self._connection.fetch(SQL["pause_template_campaigns"], campaign_id, reason))

    async def pause_credential_campaigns(self, *, sender_id: UUID, reason: str) -> int:
        """Pauses the campaigns of all senders that share this sender's credential."""
        return len(await self._connection.fetch(SQL["pause_credential_campaigns"], sender_id, reason))

    async def pause_account_campaigns(self, *, sender_id: UUID, reason: str) -> int:
        """Pauses the campaigns of this sender's whole WhatsApp account."""
        return len(await self._connection.fetch(SQL["pause_account_campaigns"], sender_id, reason))

    async def pause_sender_campaigns(self, *, sender_id: UUID, reason: str) -> int:
        """Pauses the campaigns of one sender."""
        return len(await self._connection.fetch(SQL["pause_sender_campaigns"], sender_id, reason))

    async def pause_broken_campaign(self, *, campaign_id: UUID, reason: str) -> int:
        """Pauses a campaign that fails for reasons of its own."""
        return len(await self._connection.fetch(SQL["pause_broken_campaign"], campaign_id, reason))
