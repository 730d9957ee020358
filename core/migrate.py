"""Runs the migrations of ``sql/migrations`` with dbmate, one runner at a time."""

import asyncio
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import asyncpg

from core.db import Connection, Database

# Any constant will do; it only has to be the same in every release.
_LOCK = 0x43484150


class MigrationFailed(Exception):
    """A migration did not apply, as dbmate says, or is missing; or there is no database to apply it to."""


def migrate(database_url: str) -> None:
    """Brings the database at ``database_url`` to the newest schema; safe to run from many processes at once."""
    asyncio.run(migrate_async(database_url))


async def migrate_async(database_url: str) -> None:
    """Does what ``migrate`` does, from inside an event loop."""
    # dbmate takes no lock of its own, so it runs under ours: session-level, since dbmate has its own connection.
    try:
        connection = await asyncpg.connect(database_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationFailed(f"the database does not answer (CHAPPE_DATABASE_URL): {error}") from error
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await asyncio.to_thread(_run_dbmate, database_url)
    finally:
        await connection.close()


async def pending(connection: Connection) -> list[str]:
    """Returns the migrations this code cannot do without that the database lacks, oldest first."""
    applied: set[str] = set()
    if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        applied = {row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")}
    names = sorted(file.name for file in (resources.files("sql") / "migrations").iterdir())
    return [name for name in names if "_pre_" in name and name.partition("_")[0] not in applied]


async def at_head(database: Database) -> None:
    """Raises MigrationFailed when the database lacks migrations; refuses with ``DATABASE_UNAVAILABLE``."""
    async with database.connection() as connection:
        missing = await pending(connection)
    if missing:
        raise MigrationFailed(f"the database lacks {len(missing)} migrations, from {missing[0]} on")


def _run_dbmate(database_url: str) -> None:
    folder = resources.files("sql") / "migrations"
    with resources.as_file(folder) as path:
        done = subprocess.run(
            [_dbmate(), "--no-dump-schema", "--migrations-dir", str(path), "migrate"],
            env={"DATABASE_URL": _without_tls(database_url), "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise MigrationFailed((done.stderr or done.stdout).strip())


def _dbmate() -> str:
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is not installed; it comes with Chappe's own dependencies.")
    return found


def _without_tls(database_url: str) -> str:
    """Says so when no TLS is asked for: dbmate insists on TLS unless told otherwise; asyncpg only prefers it."""
    if "sslmode=" in database_url:
        return database_url
    return f"{database_url}{'&' if '?' in database_url else '?'}sslmode=disable"
