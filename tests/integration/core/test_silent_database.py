"""Whoever stops waiting for a statement is let go, also by a database that answers nothing any more."""

import asyncio

from core.db import Database
from stack.postgres import Postgres
from tests.helpers.frozen import frozen


async def test_a_statement_that_is_cut_off_holds_nobody_up(postgres: Postgres, database_url: str) -> None:
    async with Database(url=database_url, pool_size=1) as database:
        begun = asyncio.Event()

        async def wait() -> None:
            async with database.connection() as connection:
                begun.set()
                await connection.fetchval("SELECT pg_sleep(30)")

        waiting = asyncio.create_task(wait())
        await begun.wait()
        with frozen(postgres):
            waiting.cancel()
            done, _ = await asyncio.wait([waiting], timeout=5)
        assert done == {waiting}
        assert waiting.cancelled()
