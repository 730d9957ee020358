"""Plans a campaign's messages, a page of its audience at a time, on one connection inside a transaction."""

from uuid import UUID

from core.db import Connection
from core.domain.campaigns import ExpandedPage
from core.queries import load

SQL = load("expansion")
_NOTHING = ExpandedPage(inserted=0, audience_count=0, is_complete=True)


class Expansion:
    """Turns audiences into message rows; killed between two pages it goes on where it was."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_expansion(self, campaign_id: UUID) -> bool:
        """Keeps other workers from expanding it until the transaction ends; False when nothing is left to do."""
        return await self._connection.fetchval(SQL["lock_expansion"], campaign_id) is not None

    async def is_planned_ahead(self, campaign_id: UUID) -> bool:
        """Tells whether somebody behind the checkpoint has a message already, which takes a lost checkpoint."""
        return bool(await self._connection.fetchval(SQL["is_planned_ahead"], campaign_id))

    async def expand_page(self, campaign_id: UUID, page_size: int) -> ExpandedPage:
        """Plans the next page and moves the checkpoint, both or neither; what may not be expanded is complete."""
        if not await self.lock_expansion(campaign_id):
            return _NOTHING
        is_ahead = await self.is_planned_ahead(campaign_id)
        row = await self._connection.fetchrow(SQL["expand_page"], campaign_id, page_size, is_ahead)
        return ExpandedPage(**dict(row)) if row else _NOTHING
