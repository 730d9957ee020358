"""Migrations wait for long readers without having everyone else wait with them."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from core.migrate import MigrationFailed, Patience, migrate_async
from tests.helpers.eventually import eventually

BRIEF: Final = Patience(lock_seconds=0.3, pause_seconds=0.05, limit_seconds=30)
HOPELESS: Final = Patience(lock_seconds=0.1, pause_seconds=0.05, limit_seconds=0)
APPLIED: Final = "SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 1"
COLUMNS: Final = (
    "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE column_name IN ('new', 'newer')"
)
Connection = Any


@pytest.fixture
async def reader(fresh_database_url: str) -> AsyncIterator[Connection]:
    """Somebody who reads senders for as long as the test wants, as a dump does."""
    opened = await asyncpg.connect(fresh_database_url, server_settings={"application_name": "dump"})
    await opened.execute("BEGIN; LOCK TABLE senders IN ACCESS SHARE MODE")
    yield opened
    await opened.close()


@pytest.fixture
async def worker(fresh_database_url: str) -> AsyncIterator[Connection]:
    """Somebody who reads senders for a moment."""
    opened = await asyncpg.connect(fresh_database_url, command_timeout=20)
    yield opened
    await opened.close()


def written(folder: Path, name: str, up: str) -> None:
    head = "-- migrate:up transaction:false" if "CONCURRENTLY" in up else "-- migrate:up"
    (folder / name).write_text(f"{head}\n{up}\n-- migrate:down\n")


async def test_a_migration_behind_a_long_reader_lets_the_others_pass_and_is_applied_after_it(
    fresh_database_url: str, reader: Connection, worker: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    up = "ALTER TABLE campaigns ADD COLUMN new text; ALTER TABLE senders ADD COLUMN new text;"
    written(tmp_path, "9001_pre_add.sql", up)
    written(tmp_path, "9002_pre_add.sql", "ALTER TABLE senders ADD COLUMN newer text;")
    caplog.set_level(logging.WARNING, logger="core.migrate")
    run = asyncio.ensure_future(migrate_async(fresh_database_url, patience=BRIEF, folder=tmp_path))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'senders'::regclass"
    await eventually(lambda: worker.fetchval(waiting))
    await worker.fetchval("SELECT count(*) FROM senders")
    await eventually(lambda: len(caplog.messages) > 1)
    assert await worker.fetch(COLUMNS) == []
    assert not run.done()
    await reader.execute("ROLLBACK")
    await run
    assert await worker.fetchval(APPLIED) == "9002"
    assert len(await worker.fetch(COLUMNS)) == 3
    told = (
        rf"9001_pre_add\.sql .* dump \(process {reader.get_server_pid()} of the database, in a transaction for \d+ s\)"
    )
    assert all(re.match(told, line) for line in caplog.messages)


async def test_a_migration_that_never_gets_its_locks_fails_whole_and_names_who_holds_them(
    fresh_database_url: str, reader: Connection, worker: Connection, tmp_path: Path
) -> None:
    written(tmp_path, "9001_pre_add.sql", "ALTER TABLE campaigns ADD COLUMN new text;")
    up = "ALTER TABLE campaigns ADD COLUMN newer text; ALTER TABLE senders ADD COLUMN newer text;"
    written(tmp_path, "9002_pre_add.sql", up)
    named = rf"9002_pre_add\.sql .* dump \(process {reader.get_server_pid()} .* Nothing of it is applied"
    with pytest.raises(MigrationFailed, match=named):
        await migrate_async(fresh_database_url, patience=HOPELESS, folder=tmp_path)
    assert await worker.fetchval(APPLIED) == "9001"
    assert [row[0] for row in await worker.fetch(COLUMNS)] == ["campaigns.new"]


async def test_an_index_made_beside_everyone_waits_as_long_as_it_must_and_not_for_the_next_runner(
    fresh_database_url: str, worker: Connection, tmp_path: Path
) -> None:
    writer = await asyncpg.connect(fresh_database_url)
    await writer.execute("BEGIN; LOCK TABLE senders IN ROW EXCLUSIVE MODE")
    written(tmp_path, "9001_pre_add.sql", "ALTER TABLE campaigns ADD COLUMN new text;")
    written(tmp_path, "9002_pre_index.sql", "CREATE INDEX CONCURRENTLY new_idx ON senders (id);")
    first = asyncio.ensure_future(migrate_async(fresh_database_url, patience=HOPELESS, folder=tmp_path))
    long = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY%'"
        " AND clock_timestamp() - query_start > interval '0.5 seconds'"
    )
    await eventually(lambda: worker.fetchval(long))
    assert not first.done()
    second = asyncio.ensure_future(migrate_async(fresh_database_url, patience=HOPELESS, folder=tmp_path))
    asked = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg%advisory_lock%'"
    await eventually(lambda: worker.fetchval(asked))
    await writer.close()
    async with asyncio.timeout(20):
        await asyncio.gather(first, second)
    assert await worker.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'new_idx'::regclass")
    assert await worker.fetchval(APPLIED) == "9002"


async def test_a_migration_that_is_wrong_is_not_tried_again(
    fresh_database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path, "9001_pre_add.sql", "ALTER TABLE nowhere ADD COLUMN new text;")
    with pytest.raises(MigrationFailed, match="nowhere"):
        await migrate_async(fresh_database_url, patience=BRIEF, folder=tmp_path)
    assert not caplog.messages
