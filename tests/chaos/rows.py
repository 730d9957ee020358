"""What the database says of one campaign, asked directly: rows, counters, what is unsettled."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

import asyncpg

_STATES = "SELECT state, count(*) AS count FROM messages WHERE campaign_id = $1 GROUP BY state"
_COUNTERS = "SELECT state, sum(count)::bigint AS count FROM counters WHERE scope_id = $1 GROUP BY state"
_RESENT = "SELECT count(*) FROM message_attempts WHERE campaign_id = $1"
UNSETTLED = frozenset({"PENDING", "SENDING", "UNCONFIRMED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """How many messages are in each state, by the rows and by the counters, and how many attempts were superseded."""

    states: Counter[str]
    counters: Counter[str]
    resent: int

    @property
    def unsettled(self) -> int:
        """How many messages are still to be sent, being sent or in doubt."""
        return sum(count for state, count in self.states.items() if state in UNSETTLED)


async def read(url: str, campaign_id: UUID) -> Rows:
    """Returns what the rows and the counters say at this moment."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            states = await connection.fetch(_STATES, campaign_id)
            counters = await connection.fetch(_COUNTERS, campaign_id)
            resent = await connection.fetchval(_RESENT, campaign_id)
    finally:
        await connection.close()
    return Rows(states=_counted(states), counters=_counted(counters), resent=resent)


def _counted(rows: "list[asyncpg.Record]") -> Counter[str]:
    return Counter({row["state"]: row["count"] for row in rows if row["count"]})
