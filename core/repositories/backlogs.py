"""What campaigns still have to do, on one connection; the statement is in sql/queries/backlogs.sql."""

from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.campaigns import CampaignState
from core.domain.senders import SenderState
from core.domain.waiting import Backlog
from core.queries import load
from core.repositories.campaigns import refuse_unknown

SQL = load("backlogs")


class Backlogs:
    """Tells what a campaign waits for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_backlog(self, campaign_id: UUID, *, at: datetime) -> Backlog:
        """Reads what is left to do; refuses with ``CAMPAIGN_NOT_FOUND``."""
        row = await self._connection.fetchrow(SQL["get_backlog"], campaign_id, at)
        if row is None:
            raise refuse_unknown(campaign_id)
        states = {
            "campaign_state": CampaignState(row["campaign_state"]),
            "sender_state": SenderState(row["sender_state"]),
        }
        return Backlog(**dict(row) | states)
