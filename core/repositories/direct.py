"""Single messages and the hidden campaigns they live in, on one connection; statements in sql/queries/direct.sql."""

from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.direct import DISPLAY_NAME, Content, dump_content
from core.queries import load

SQL = load("direct")


class Direct:
    """Plans single messages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def home(self, sender_id: UUID, *, at: datetime) -> UUID:
        """Returns the hidden campaign of a sender's single messages, made on first use."""
        found = await self.find_direct_campaign(sender_id)
        return found or await self.create_direct_campaign(sender_id, at=at)

    async def find_direct_campaign(self, sender_id: UUID) -> UUID | None:
        """Returns the sender's hidden campaign, None when it has none yet."""
        row = await self._connection.fetchrow(SQL["find_direct_campaign"], sender_id)
        return None if row is None else UUID(str(row["id"]))

    async def create_direct_campaign(self, sender_id: UUID, *, at: datetime) -> UUID:
        """Makes the sender's hidden campaign; who comes second gets the first one's."""
        return UUID(str(await self._connection.fetchval(SQL["create_direct_campaign"], sender_id, DISPLAY_NAME, at)))

    async def add_direct_message(
        self, campaign_id: UUID, *, contact_id: UUID, sender_id: UUID, template_id: UUID | None, content: Content
    ) -> UUID:
        """Plans one message, due at once."""
        return UUID(
            str(
                await self._connection.fetchval(
                    SQL["add_direct_message"], campaign_id, contact_id, sender_id, template_id, dump_content(content)
                )
            )
        )

    async def find_window(self, *, contact_id: UUID, sender_id: UUID) -> datetime | None:
        """Returns until when the contact may be sent texts: 24 hours after it last wrote; None: it never did."""
        row = await self._connection.fetchrow(SQL["find_window"], contact_id, sender_id)
        return None if row is None else row["expire_time"]
