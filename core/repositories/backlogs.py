"""What campaigns still have to do, on one connection; the statement is in sql/queries/backlogs.sql."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.db import Connection
from core.domain.campaigns import CampaignState
from core.domain.senders import SenderState
from core.domain.stats import DEPLOYMENT
from core.domain.waiting import Backlog
from core.queries import load
from core.repositories.campaigns import refuse_unknown

SQL = load("backlogs")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Counts messages running campaigns still send, claimed, in doubt, held, miscounted; how long webhooks wait."""

    due_count: int
    claimed_count: int
    unconfirmed_count: int
    held_count: int
    oldest_delivery_seconds: float
    difference_count: int


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

    async def get_queue(self) -> QueueState:
        """Reads what waits in the whole deployment."""
        rows = await self._connection.fetch(SQL["get_queue"], DEPLOYMENT)
        return QueueState(**rows[0])
