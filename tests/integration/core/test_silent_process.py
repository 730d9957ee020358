"""A process that stands still in the midst of a transaction does not hold up the others for long."""

import asyncio

import pytest

from core.db import Connection, Database
from core.domain.errors import Unavailable


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
