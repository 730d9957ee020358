"""Compares all counters with all rows, as the keeper does campaign by campaign."""

from core.db import Database
from core.domain.recounts import Difference
from core.domain.stats import DEPLOYMENT
from core.repositories.rooms import Store


async def differences(database: Database, *, slice_size: int = 50) -> list[Difference]:
    """Returns where counters differ from rows, in any campaign and in the whole deployment."""
    async with database.connection() as connection:
        scopes = await connection.fetch(
            "SELECT campaign_id FROM messages UNION SELECT campaign_id FROM interactions"
            " UNION SELECT scope_id FROM counters"
        )
    found = list[Difference]()
    for scope_id in (*(row["campaign_id"] for row in scopes), DEPLOYMENT):
        async with Store(database).snapshot() as rooms:
            found += await rooms.recounts.find_differences(scope_id, slice_size=slice_size)
    return found
