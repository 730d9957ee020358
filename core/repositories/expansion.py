"""Plans a campaign's messages, a page of its audience at a time, on one connection inside a transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from core.db import TRANSACTION_CONFLICT, Connection
from core.domain.campaigns import ExpandedPage
from core.domain.errors import Conflict
from core.queries import load
from core.repositories.transactions import Transactions

SQL = load("expansion")
_NOTHING = ExpandedPage(inserted=0, is_complete=True)
# Others lock the campaign first, and then what a page has locked before it: the page gives way before that is taken for
# a deadlock, for which PostgreSQL looks after a second.
_LONGEST_WAIT: Final = timedelta(milliseconds=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Says behind which contact an expansion goes on; None where it begins."""

    after: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPage:
    """Says what a page made: how many messages, up to which contact (None: there was none), whether it is the last."""

    inserted: int
    last_contact_id: UUID | None
    is_complete: bool


class Expansion:
    """Turns audiences into message rows; killed between two pages it goes on where it was."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_expansion(self, campaign_id: UUID) -> None:
        """Keeps other workers from expanding it until the transaction ends; it can still be paused and cancelled."""
        await self._connection.execute(SQL["lock_expansion"], campaign_id)

    async def get_checkpoint(self, campaign_id: UUID) -> Checkpoint | None:
        """Returns where it goes on; None when nothing is left to do."""
        row = await self._connection.fetchrow(SQL["get_checkpoint"], campaign_id)
        return None if row is None else Checkpoint(after=row["expand_after_contact_id"])

    async def is_planned_ahead(self, campaign_id: UUID) -> bool:
        """Tells whether somebody behind the checkpoint has a message already, which takes a lost checkpoint."""
        return bool(await self._connection.fetchval(SQL["is_planned_ahead"], campaign_id))

    async def plan_page(self, campaign_id: UUID, page_size: int, *, is_ahead: bool) -> PlannedPage:
        """Makes the messages of the next contacts, and leaves the checkpoint where it is."""
        row = await self._connection.fetchrow(SQL["plan_page"], campaign_id, page_size, is_ahead)
        return PlannedPage(**dict(row or {}))

    async def move_checkpoint(self, campaign_id: UUID, page: PlannedPage, *, begun_after: UUID | None) -> None:
        """Moves the checkpoint behind a page; refuses with a conflict."""
        values = (begun_after, page.last_contact_id, page.is_complete, page.inserted)
        if await self._connection.fetchrow(SQL["move_checkpoint"], campaign_id, *values) is None:
            message = "The campaign was cancelled, or planned by somebody else, meanwhile."
            raise Conflict(TRANSACTION_CONFLICT, message)

    async def expand_page(self, campaign_id: UUID, page_size: int) -> ExpandedPage:
        """Plans the next page and moves the checkpoint, both or neither; what may not be expanded is complete.

        Refuses with ``TRANSACTION_CONFLICT`` when the campaign was cancelled meanwhile or somebody else holds it; then
        the page must be rolled back.
        """
        await self.lock_expansion(campaign_id)
        checkpoint = await self.get_checkpoint(campaign_id)
        if checkpoint is None:
            return _NOTHING
        is_ahead = await self.is_planned_ahead(campaign_id)
        page = await self.plan_page(campaign_id, page_size, is_ahead=is_ahead)
        rest = Transactions(self._connection)
        await rest.bound_waits(_LONGEST_WAIT)
        await rest.bound_standstill()
        await self.move_checkpoint(campaign_id, page, begun_after=checkpoint.after)
        return ExpandedPage(inserted=page.inserted, is_complete=page.is_complete)
