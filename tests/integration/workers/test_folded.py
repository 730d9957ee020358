"""Counters of campaigns that are over become one row for each thing counted, and no reader ever finds another sum."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from random import Random  # noqa: TID251  # seeded
from typing import Any, Final
from uuid import UUID

import pytest

from core.db import Database
from core.domain.errors import Unavailable
from core.domain.stats import DEPLOYMENT
from core.repositories.rooms import Rooms, Store
from tests.helpers.eventually import eventually
from tests.helpers.lock_waits import WAITERS
from tests.helpers.reads_api import Rows, some_rows
from tests.helpers.recounting import differences
from tests.helpers.sending import CLOCK
from tests.helpers.workers import busy_worker, idle_worker
from workers.tasks.upkeep import fold_counters

# Spreads what a campaign counts over all shards; the sums stay.
SPREAD: Final = """
    INSERT INTO counters (scope_id, state, error_code, reason, shard, count)
    SELECT DISTINCT scope_id, state, error_code, reason, n, 2 * n - 15
    FROM counters CROSS JOIN generate_series(0, 15) AS n WHERE scope_id = $1
    ON CONFLICT ON CONSTRAINT counters_pkey DO UPDATE SET count = counters.count + excluded.count"""
SPREAD_REPLIES: Final = """
    INSERT INTO reply_counters (scope_id, shard, count)
    SELECT DISTINCT scope_id, n, 2 * n - 15
    FROM reply_counters CROSS JOIN generate_series(0, 15) AS n WHERE scope_id = $1
    ON CONFLICT ON CONSTRAINT reply_counters_pkey DO UPDATE SET count = reply_counters.count + excluded.count"""
MOVE: Final = """
    UPDATE messages SET state = $2, read_time = now() FROM (
        SELECT campaign_id, id FROM messages WHERE campaign_id = $1 AND state = $3 ORDER BY id LIMIT 5 FOR UPDATE
    ) AS moved
    WHERE messages.campaign_id = moved.campaign_id AND messages.id = moved.id"""
ANSWER: Final = """
    INSERT INTO interactions (sender_id, campaign_id, message_id, kind, interaction_time)
    SELECT sender_id, campaign_id, id, 'TEXT', now() FROM messages WHERE campaign_id = $1 ORDER BY random() LIMIT 1"""
STATES: Final = ("SENT", "DELIVERED", "READ")
SHARDS: Final = "SELECT DISTINCT shard FROM counters WHERE scope_id = $1 ORDER BY shard"
REPLY_SHARDS: Final = "SELECT shard FROM reply_counters WHERE scope_id = $1 ORDER BY shard"


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(url=fresh_database_url, pool_size=12) as opened:
        yield opened


@pytest.fixture
async def rows(database: Database) -> AsyncIterator[Rows]:
    async with some_rows(database) as made:
        yield made


async def ended(rows: Rows, state: str = "COMPLETED", *, answered: bool = True) -> UUID:
    """Makes a campaign that is over, with all messages answered or none, and everything counted in sixteen shards."""
    campaign_id = await rows.campaign(state=state)
    await rows.messages(campaign_id, *["SENT"] * 10, *["DELIVERED"] * 10, "FAILED", "SKIPPED", error_code=131026)
    if answered:
        await rows.interactions(campaign_id)
    await rows.execute(SPREAD, campaign_id)
    await rows.execute(SPREAD_REPLIES, campaign_id)
    return campaign_id


async def fold(rooms: Rooms, *, limit: int = 50) -> tuple[UUID | None, UUID | None]:
    """Folds a page as the keeper does; returns the last campaign of either kind of counters."""
    return (
        await rooms.shards.fold_state_counters(after=DEPLOYMENT, limit=limit),
        await rooms.shards.fold_reply_counters(after=DEPLOYMENT, limit=limit),
    )


async def shards(rows: Rows, campaign_id: UUID) -> tuple[list[int], list[int]]:
    states, replies = await rows.fetch(SHARDS, campaign_id), await rows.fetch(REPLY_SHARDS, campaign_id)
    return [row["shard"] for row in states], [row["shard"] for row in replies]


FOLDED: Final = ([-1], [-1])
SPREAD_OUT: Final = (list(range(16)), list(range(16)))


async def test_a_worker_folds_what_is_over_and_leaves_what_runs(
    rows: Rows, database: Database, worker_settings: dict[str, str]
) -> None:
    over, running = await ended(rows), await ended(rows, "PAUSED")
    async with busy_worker(worker_settings):
        await eventually(partial(_are, rows, over, FOLDED), 20)
    assert await shards(rows, running) == SPREAD_OUT
    assert await differences(database) == []
    # Each thing counted has one row, and what adds up to nothing none.
    assert len(await rows.fetch("SELECT FROM counters WHERE scope_id = $1", over)) == 4


async def test_a_turn_folds_all_campaigns_however_many_page_by_page(
    rows: Rows, database: Database, worker_settings: dict[str, str]
) -> None:
    campaigns = [await ended(rows, state) for state in ("COMPLETED", "CANCELLED", "FAILED")]
    async with Store(database).connection() as rooms:
        assert await fold(rooms, limit=2) == (campaigns[1], campaigns[1])
        assert await shards(rows, campaigns[2]) == SPREAD_OUT
    async with idle_worker(worker_settings) as worker:
        await fold_counters(worker.engine)
    assert [await shards(rows, campaign_id) for campaign_id in campaigns] == [FOLDED] * 3
    assert await differences(database) == []


async def test_what_is_folded_is_left_alone_and_late_news_are_folded_onto_it(rows: Rows, database: Database) -> None:
    campaign_id = await ended(rows)
    async with Store(database).connection() as rooms:
        await fold(rooms)
        before = await rows.fetch("SELECT ctid, xmin::text, count FROM counters WHERE scope_id = $1", campaign_id)
        assert await fold(rooms) == (None, None)
        assert before == await rows.fetch(
            "SELECT ctid, xmin::text, count FROM counters WHERE scope_id = $1", campaign_id
        )
        await rows.execute(MOVE, campaign_id, "READ", "DELIVERED")
        assert await differences(database) == []
        await fold(rooms)
    assert await shards(rows, campaign_id) == FOLDED
    assert await differences(database) == []


async def test_a_fold_waits_for_no_writer_and_takes_what_that_one_held_the_next_time(
    rows: Rows, database: Database
) -> None:
    campaign_id = await ended(rows)
    async with database.transaction() as writing, Store(database).connection() as rooms:
        await writing.execute(MOVE, campaign_id, "READ", "DELIVERED")
        await asyncio.wait_for(fold(rooms), 20)
        (folded, *held), _ = await shards(rows, campaign_id)
        assert (folded, len(held)) == (-1, 1)
    assert await differences(database) == []
    async with Store(database).connection() as rooms:
        await fold(rooms)
    assert await shards(rows, campaign_id) == FOLDED
    assert await differences(database) == []


async def test_a_receipt_that_meets_a_fold_waits_for_it_and_is_counted(rows: Rows, database: Database) -> None:
    campaign_id = await ended(rows)
    async with Store(database).transaction() as rooms:
        await fold(rooms)
        receipt = asyncio.create_task(rows.execute(MOVE, campaign_id, "READ", "DELIVERED"))
        await eventually(partial(_waits, rows), 20)
    await receipt
    assert await differences(database) == []
    (row,) = await rows.fetch(
        "SELECT sum(count) AS n FROM counters WHERE scope_id = $1 AND state = 'READ'", campaign_id
    )
    assert row["n"] == 5


async def test_a_fold_whose_keeper_is_killed_has_not_been(rows: Rows, database: Database) -> None:
    campaign_id = await ended(rows)
    with suppress(Unavailable):
        async with database.transaction() as connection:
            await fold(Rooms(connection))
            await rows.execute("SELECT pg_terminate_backend($1)", await connection.fetchval("SELECT pg_backend_pid()"))
            await connection.fetchval("SELECT 1")
    assert await shards(rows, campaign_id) == SPREAD_OUT
    assert await differences(database) == []


async def test_while_receipts_and_answers_come_late_and_folds_meet_no_reader_finds_a_wrong_sum(
    rows: Rows, database: Database
) -> None:
    campaigns = [await ended(rows, answered=False) for _ in range(3)]
    done = asyncio.Event()
    writers = [asyncio.create_task(_write(database, campaigns, Random(seed), done)) for seed in range(4)]
    folds = [asyncio.create_task(_fold_on(database, done)) for _ in range(2)]
    try:
        for _ in range(12):
            assert await differences(database) == []
            assert await _message_counts(database, campaigns) == [22] * 3
    finally:
        done.set()
        counts = await asyncio.gather(*writers, *folds)  # a deadlock would raise TRANSACTION_CONFLICT
    assert min(counts) > 5
    async with Store(database).connection() as rooms:
        await fold(rooms)
    assert [await shards(rows, campaign_id) for campaign_id in campaigns] == [FOLDED] * 3
    assert await differences(database) == []


async def test_a_campaign_that_runs_again_after_a_fold_is_counted_and_folded_again(
    rows: Rows, database: Database
) -> None:
    campaign_id = await ended(rows)
    async with Store(database).connection() as rooms:
        await fold(rooms)
        await rows.execute("UPDATE campaigns SET state = 'RUNNING' WHERE id = $1", campaign_id)
        await rows.execute("UPDATE messages SET state = 'PENDING', error_code = 0 WHERE state = 'FAILED'")
        assert await fold(rooms) == (None, None)
        assert await differences(database) == []
        await rows.execute("UPDATE messages SET state = 'READ' WHERE state = 'PENDING'")
        await rows.execute("UPDATE campaigns SET state = 'COMPLETED' WHERE id = $1", campaign_id)
        await fold(rooms)
    assert await shards(rows, campaign_id) == FOLDED
    assert await differences(database) == []


async def _are(rows: Rows, campaign_id: UUID, expected: tuple[list[int], list[int]]) -> bool:
    return await shards(rows, campaign_id) == expected


async def _waits(rows: Rows) -> bool:
    (row,) = await rows.fetch(WAITERS)
    return bool(row["count"] == 1)


async def _write(database: Database, campaigns: list[UUID], luck: Random, done: asyncio.Event) -> int:
    """Moves messages on and back and answers some, until it is done; returns how often."""
    count = 0
    while not done.is_set():
        campaign_id = luck.choice(campaigns)
        async with database.transaction() as connection:
            await connection.execute(MOVE, campaign_id, *luck.sample(STATES, 2))
            await connection.execute(ANSWER, campaign_id)
        count += 1
    return count


async def _fold_on(database: Database, done: asyncio.Event) -> int:
    """Folds again and again until it is done; returns how often there was something to fold."""
    count = 0
    while not done.is_set():
        async with Store(database).connection() as rooms:
            count += any(await fold(rooms))
    return count


async def _message_counts(database: Database, campaigns: list[UUID]) -> list[int]:
    async with Store(database).connection() as rooms:
        found: Any = await rooms.stats.batch_get_campaign_stats(campaigns, at=CLOCK.now())
    return [stats.counts.message_count for stats in found]
