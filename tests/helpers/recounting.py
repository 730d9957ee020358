"""Compares all counters with all rows, as the keeper does campaign by campaign."""

from core.db import Connection
from core.domain.recounts import Difference
from core.domain.stats import DEPLOYMENT
from core.repositories.recounts import Recounts


async def differences(connection: Connection) -> list[Difference]:
    """Returns where counters differ from rows, in any campaign and in the whole deployment."""
    scopes = await connection.fetch(
        "SELECT campaign_id FROM messages UNION SELECT campaign_id FROM interactions"
        " UNION SELECT scope_id FROM counters"
    )
    recounts, found = Recounts(connection), list[Difference]()
    for row in scopes:
        found += await recounts.find_differences(row["campaign_id"])
    return found + await recounts.find_differences(DEPLOYMENT)
