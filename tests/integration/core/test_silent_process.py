"""A process that stands still in the midst of a transaction does not hold up the others for long."""

import asyncio

import pytest

from core.db import Connection, Database
from core.domain.errors import Unavailable
from core.domain.stats import DEPLOYMENT
from core.repositories.rooms import Store
from tests.helpers.eventually import eventually

_IDLE_FOR_LONG = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
        AND state_change < now() - interval '0.6 seconds'"""


async def lock(connection: Connection) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(4711)")


async def take(database: Database) -> None:
    async with database.transaction() as connection:
        await lock(connection)


async def stand_still(database: Database, *, beside: Database) -> None:
    async with database.transaction() as connection:
        await lock(connection)
        taken, _ = await asyncio.wait({asyncio.create_task(take(beside))}, timeout=5)
        assert [task.exception() for task in taken] == [None]
        await lock(connection)


async def test_a_transaction_whose_process_stands_still_lets_go_of_what_it_locked(database_url: str) -> None:
    still = Database(url=database_url, pool_size=1, idle_seconds=0.2)
    async with still, Database(url=database_url, pool_size=1) as other:
        with pytest.raises(Unavailable):
            await stand_still(still, beside=other)
        await take(still)


async def test_a_repair_that_compares_for_long_is_not_taken_for_one(database_url: str) -> None:
    repairing = Database(url=database_url, pool_size=1, idle_seconds=0.2)
    async with (
        repairing,
        Database(url=database_url, pool_size=1) as other,
        Store(repairing).transaction() as rooms,
        other.connection() as looking,
    ):
        await rooms.recounts.lock_repair(DEPLOYMENT)
        await eventually(lambda: looking.fetchval(_IDLE_FOR_LONG))
        await rooms.recounts.list_scopes(after=DEPLOYMENT, limit=1)
