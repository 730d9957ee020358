"""The migrations make the schema that the repository shows, and every named statement fits it."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from core.migrate import MigrationFailed, migrate, migrate_async
from core.queries import load
from stack.postgres import Postgres
from stack.snapshot import SCHEMA_FILE, dump
from tests.helpers.servers import Databases

QUERIES = Path(__file__).resolve().parents[3] / "sql" / "queries"
STATEMENTS = [(file.stem, name) for file in sorted(QUERIES.glob("*.sql")) for name in load(file.stem)]


def test_all_migrations_make_the_snapshot(fresh_database_url: str) -> None:
    assert dump(fresh_database_url) == SCHEMA_FILE.read_text()


def test_migrating_twice_changes_nothing(fresh_database_url: str) -> None:
    migrate(fresh_database_url)
    assert dump(fresh_database_url) == SCHEMA_FILE.read_text()


async def test_two_runners_at_once_both_succeed(databases: Databases) -> None:
    with databases.empty() as url:
        await asyncio.gather(migrate_async(url), migrate_async(url))
        assert dump(url) == SCHEMA_FILE.read_text()


def test_a_database_that_is_away_is_named_as_the_reason(postgres: Postgres) -> None:
    with pytest.raises((MigrationFailed, asyncpg.InvalidCatalogNameError)):
        migrate(postgres.url("nowhere"))


@pytest.mark.parametrize(("noun", "name"), STATEMENTS, ids=lambda value: value)
async def test_each_statement_fits_the_schema(
    noun: str, name: str, connection: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await connection.execute(load("contact_imports")["prepare_import_stage"])  # the one table a session makes itself
    await connection.prepare(load(noun)[name])
