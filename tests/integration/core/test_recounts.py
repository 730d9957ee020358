"""Counters are the rows: under concurrent writers, after a killed backend; and where they are not, it is found."""

import asyncio
import os
import random  # noqa: TID251 - seeded
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from uuid import UUID

import asyncpg
import pytest

from core.db import Database
from core.domain.errors import Unavailable
from core.domain.recounts import Difference, total
from core.domain.stats import DEPLOYMENT
from core.repositories.recounts import Recounts
from core.repositories.rooms import Store
from core.repositories.stats import Stats
from tests.helpers import servers
from tests.helpers.eventually import eventually
from tests.helpers.reads_api import Rows, some_rows
from tests.helpers.recounting import differences
from tests.helpers.sending import CLOCK
from tests.helpers.servers import Databases
from tests.helpers.statements import CountingDatabase

CORRUPTIONS = {
    "a state of a campaign": "UPDATE counters SET count = count + 3 WHERE scope_id = $1 AND state = 'READ'",
    "a state nobody is in": "INSERT INTO counters VALUES ($1, 'HELD', 0, 7, 2)",
    "a reason of skips": "UPDATE counters SET reason = 'ERASED' WHERE scope_id = $1 AND state = 'SKIPPED'",
    "an error's count that is gone": "DELETE FROM counters WHERE scope_id = $1 AND error_code = 131026",
    "a minute": "UPDATE minute_counters SET count = count - 1 WHERE scope_id = $1 AND milestone = 'ACCEPTED'",
    "the answered": "DELETE FROM reply_counters WHERE scope_id = $1",
    "the deployment": "UPDATE counters SET count = count + 1 WHERE state = 'READ' AND scope_id <> $1",
    "a row changed behind the trigger": "SET session_replication_role = replica; UPDATE messages SET state = 'SENT'"
    " WHERE state = 'READ' AND campaign_id = '{}'; SET session_replication_role = DEFAULT",
}


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(url=fresh_database_url, pool_size=8) as opened:
        yield opened


@pytest.fixture
async def rows(database: Database) -> AsyncIterator[Rows]:
    async with some_rows(database) as made:
        yield made


async def some_history(rows: Rows) -> UUID:
    """Makes a campaign with messages in several states, some answered twice, and another one beside it."""
    campaign_id, other = await rows.campaign(), await rows.campaign()
    await rows.messages(campaign_id, *["READ"] * 3, "FAILED", "SKIPPED", "PENDING", error_code=131026)
    await rows.messages(other, "ACCEPTED", "SKIPPED")
    await rows.fold_minutes()
    await rows.messages(campaign_id, "ACCEPTED", "READ")
    for _ in range(2):
        await rows.interactions(campaign_id)
    return campaign_id


async def test_nothing_differs_and_answers_count_once(rows: Rows, database: Database) -> None:
    campaign_id = await some_history(rows)
    assert await differences(database) == []
    async with database.connection() as connection:
        stats = await Stats(connection).get_campaign_stats(campaign_id, at=CLOCK.now())
        everything = await Stats(connection).get_message_stats(at=CLOCK.now())
    assert (stats.counts.message_count, stats.counts.replied_count, everything.counts.replied_count) == (8, 8, 8)
    assert [(skip.reason, skip.message_count) for skip in stats.skips] == [("OPTED_OUT", 1)]


@pytest.mark.parametrize("what", CORRUPTIONS)
async def test_a_counter_that_is_wrong_is_found_shown_and_repaired_on_demand(
    rows: Rows, database: Database, what: str
) -> None:
    campaign_id = await some_history(rows)
    statement = CORRUPTIONS[what].format(campaign_id)
    await rows.execute(statement, *([campaign_id] if "$1" in statement else []))
    async with database.snapshot() as connection:
        recounts = Recounts(connection)
        scopes = [campaign_id, DEPLOYMENT]
        found = [difference for scope in scopes for difference in await recounts.find_differences(scope, slice_size=3)]
    assert found
    assert all("counted" in str(difference) for difference in found)
    async with database.connection() as connection:
        await Recounts(connection).note_recount(campaign_id, difference_count=total(found))
        shown = await Stats(connection).get_message_stats(at=CLOCK.now())
        assert shown.difference_count == total(found) > 0
    store = Store(database)
    for scope in await _all_scopes(database):
        async with store.transaction() as rooms, store.snapshot() as seen:
            await rooms.recounts.repair(scope, await seen.recounts.find_differences(scope))
    assert await differences(database) == []
    async with database.connection() as connection:
        assert (await Stats(connection).get_message_stats(at=CLOCK.now())).difference_count == 0


async def test_however_many_messages_there_are_no_statement_counts_more_than_a_slice(
    rows: Rows, fresh_database_url: str
) -> None:
    campaign_id = await rows.campaign()
    await rows.messages(campaign_id, *["READ"] * 20)
    told = list[int]()
    async with CountingDatabase(url=fresh_database_url) as counting, counting.snapshot() as connection:
        assert await Recounts(connection).find_differences(campaign_id, slice_size=6, tell=told.append) == []
    assert told == [6, 6, 6, 2]
    assert counting.statements.count("count_states") == 4


async def test_while_others_write_no_difference_is_ever_seen(rows: Rows, database: Database) -> None:
    campaigns = [await rows.campaign() for _ in range(2)]
    for campaign_id in campaigns:
        await rows.messages(campaign_id, *["PENDING"] * 60)
    done = asyncio.Event()
    writers = [asyncio.create_task(_write(database, campaigns, random.Random(seed), done)) for seed in range(4)]
    try:
        for _ in range(25):
            assert await differences(database, slice_size=7) == []
    finally:
        done.set()
        counts = await asyncio.gather(*writers)
    assert min(counts) > 5


@pytest.fixture
def own_database_url() -> Iterator[str]:
    """A database on a server that nobody else uses, so that it may crash."""
    with servers.postgres() as server, Databases(server).copy() as url:
        yield url


async def test_counters_are_the_rows_after_a_backend_was_killed_in_the_middle_of_a_statement(
    own_database_url: str,
) -> None:
    async with Database(url=own_database_url, pool_size=6) as database:
        async with some_rows(database) as rows:
            campaigns = [await rows.campaign() for _ in range(2)]
            for campaign_id in campaigns:
                await rows.messages(campaign_id, *["PENDING"] * 60)
        done = asyncio.Event()
        writers = [asyncio.create_task(_write(database, campaigns, random.Random(seed), done)) for seed in range(4)]
        for _ in range(3):
            # PostgreSQL then ends all connections and recovers, as after a crash of the machine.
            os.kill(await _find_writer(own_database_url), signal.SIGKILL)
            await eventually(partial(_answers, database), 30)
        done.set()
        assert sum(await asyncio.gather(*writers)) > 0
        assert await eventually(partial(_compare, database), 30) == ([],)


async def _find_writer(url: str) -> int:
    connection = await eventually(partial(_connect, url), 30)
    statement = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'UPDATE messages%' LIMIT 1"
    try:
        return int(await eventually(lambda: connection.fetchval(statement), 30))
    finally:
        await connection.close()


async def _connect(url: str) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(url)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        message = "it still recovers"
        raise AssertionError(message) from error


async def _answers(database: Database) -> bool:
    with suppress(Unavailable):
        await database.ping()
        return True
    return False


async def _compare(database: Database) -> tuple[list[Difference]] | None:
    with suppress(Unavailable):  # it may still recover
        return (await differences(database),)
    return None


_MOVE = """UPDATE messages
SET state = moved.state, error_code = moved.error_code, lease_expire_time = now(), doubt_time = now(),
    reason = CASE moved.state WHEN 'SKIPPED' THEN moved.reason ELSE '' END,
    accept_time = CASE WHEN moved.state IN ('ACCEPTED', 'READ') THEN now() - moved.ago END,
    read_time = CASE WHEN moved.state = 'READ' THEN now() - moved.ago END
FROM (
    SELECT campaign_id, id, $3::text AS state, $4::integer AS error_code, $5::text AS reason,
        make_interval(mins => $6) AS ago
    FROM messages WHERE campaign_id = $1 ORDER BY id OFFSET $2 LIMIT 30 FOR UPDATE
) AS moved
WHERE messages.campaign_id = moved.campaign_id AND messages.id = moved.id"""
_ANSWER = """INSERT INTO interactions (sender_id, campaign_id, message_id, kind, interaction_time)
SELECT sender_id, campaign_id, id, 'TEXT', now() FROM messages WHERE campaign_id = $1 ORDER BY id OFFSET $2 LIMIT 3"""
_STATES = ("PENDING", "SENDING", "ACCEPTED", "READ", "FAILED", "SKIPPED", "UNCONFIRMED")


async def _write(database: Database, campaigns: list[UUID], luck: random.Random, done: asyncio.Event) -> int:
    """Changes messages as fast as it can, and again what a crash cut off; returns how many transactions committed."""
    count = 0
    while not done.is_set():
        with suppress(Exception):  # a killed database is what this is about
            await _change(database, luck.choice(campaigns), luck)
            count += 1
        await asyncio.sleep(0)  # noqa: TID251 - lets the others run
    return count


async def _change(database: Database, campaign_id: UUID, luck: random.Random) -> None:
    state, offset = luck.choice(_STATES), luck.randrange(0, 60)
    code = luck.choice((131026, 131049)) if state == "FAILED" else 0
    reason = luck.choice(("OPTED_OUT", "NO_WHATSAPP"))
    async with database.transaction() as connection:
        await connection.execute(_MOVE, campaign_id, offset, state, code, reason, luck.randrange(0, 180))
        await connection.execute(_ANSWER, campaign_id, offset)


async def _all_scopes(database: Database) -> list[UUID]:
    """Returns the campaigns, then the deployment: it is compared with what they count."""
    async with database.connection() as connection:
        return [*await Recounts(connection).list_scopes(after=DEPLOYMENT, limit=100), DEPLOYMENT]
