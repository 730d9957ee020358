"""Runs the migrations of ``sql/migrations`` with dbmate, one runner at a time."""

import asyncio
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import groupby
from pathlib import Path
from typing import Final

import asyncpg

from core.db import Connection, Database

_log = logging.getLogger(__name__)

MIGRATIONS: Final = resources.files("sql") / "migrations"

# Any constant will do; it only has to be the same in every release.
_LOCK = 0x43484150
_TURN_SECONDS: Final = 0.2
_NAME: Final = "chappe-migrate"

# As dbmate shows what PostgreSQL says of a lock that took too long, and of one it cannot give.
_PASSING: Final = ("(55P03)", "(40P01)")
# The server gives others' details only to whom it may; names and numbers it gives to all.
_HOLDERS: Final = """
SELECT format(
        '%s (process %s of the database%s)', coalesce(nullif(holder.application_name, ''), 'a client'), holder.pid,
        ', in a transaction for ' || round(extract(epoch FROM clock_timestamp() - holder.xact_start)) || ' s'
    ) AS holder
FROM pg_stat_activity AS runner
CROSS JOIN LATERAL unnest(pg_blocking_pids(runner.pid)) AS blocking (pid)
JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
WHERE runner.datname = current_database() AND runner.application_name = $1
ORDER BY holder.xact_start
"""
_ALONE: Final = re.compile(r"^-- migrate:up\b.*\btransaction:\s*false", re.MULTILINE)


class MigrationFailed(Exception):
    """A migration did not apply, as dbmate says, or is missing; or there is no database to apply it to."""


class _Locked(MigrationFailed):
    """Others have locked what a migration is to change; nothing of it was applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a migration waits for a lock, lets the others go on before it tries again, and goes on trying.

    While it waits, all who come after it wait with it: behind a long reader, such as pg_dump, all sending stood still.
    """

    lock_seconds: float = 2.0
    pause_seconds: float = 10.0
    limit_seconds: float = 600.0


def migrate(database_url: str) -> None:
    """Brings the database at ``database_url`` to the newest schema; safe to run from many processes at once."""
    asyncio.run(migrate_async(database_url))


async def migrate_async(
    database_url: str, *, patience: Patience = Patience(), folder: Traversable = MIGRATIONS
) -> None:
    """Does what ``migrate`` does, from inside an event loop, with the migrations of a folder."""
    # dbmate takes no lock of its own, so it runs under ours: session-level, since dbmate has its own connection.
    try:
        connection = await asyncpg.connect(database_url)
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationFailed(f"the database does not answer (CHAPPE_DATABASE_URL): {error}") from error
    try:
        await _take_turn(connection)
        # What runs in no transaction of its own waits as long as it must: it keeps nobody from reading or writing, and
        # an index whose making is given up stays behind, broken.
        for alone, files in groupby(await _missing(connection, folder), key=_runs_alone):
            with _copied(list(files)) as copy:
                if alone:
                    await asyncio.to_thread(_run_dbmate, database_url, copy)
                else:
                    await _insist(connection, database_url, copy, patience)
    finally:
        await connection.close()


async def pending(connection: Connection) -> list[str]:
    """Returns the migrations this code cannot do without that the database lacks, oldest first."""
    return [file.name for file in await _missing(connection, MIGRATIONS) if "_pre_" in file.name]


async def at_head(database: Database) -> None:
    """Raises MigrationFailed when the database lacks migrations; refuses with ``DATABASE_UNAVAILABLE``."""
    async with database.connection() as connection:
        missing = await pending(connection)
    if missing:
        raise MigrationFailed(f"the database lacks {len(missing)} migrations, from {missing[0]} on")


async def _take_turn(connection: Connection) -> None:
    # A statement that waited would hold a snapshot meanwhile, and CREATE INDEX CONCURRENTLY waits for all older ones.
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110 - of another process
        await asyncio.sleep(_TURN_SECONDS)  # noqa: TID251 - as above


async def _missing(connection: Connection, folder: Traversable) -> list[Traversable]:
    applied: set[str] = set()
    if await connection.fetchval("SELECT to_regclass('schema_migrations') IS NOT NULL"):
        applied = {row["version"] for row in await connection.fetch("SELECT version FROM schema_migrations")}
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file for file in files if file.name.partition("_")[0] not in applied]


def _runs_alone(file: Traversable) -> bool:
    return _ALONE.search(file.read_text(encoding="utf-8")) is not None


@contextmanager
def _copied(files: Sequence[Traversable]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chappe-migrate-") as name:
        for file in files:
            (Path(name) / file.name).write_bytes(file.read_bytes())
        yield Path(name)


async def _insist(connection: Connection, database_url: str, folder: Path, patience: Patience) -> None:
    """Applies migrations that take their locks soon or not at all, again and again until they have them."""
    url = _with(_with(database_url, f"lock_timeout={patience.lock_seconds * 1000:.0f}"), f"application_name={_NAME}")
    clock = asyncio.get_running_loop()
    end = clock.time() + patience.limit_seconds
    while True:
        try:
            return await _watch(connection, url, folder, look_seconds=patience.lock_seconds / 4)
        except _Locked as locked:
            if clock.time() + patience.pause_seconds > end:
                raise MigrationFailed(f"{locked} Nothing of it is applied; it is given up.") from locked
            _log.warning("%s It is tried again in %.0f s.", locked, patience.pause_seconds)
        await asyncio.sleep(patience.pause_seconds)  # noqa: TID251 - nothing tells when the locks are given up


async def _watch(connection: Connection, database_url: str, folder: Path, *, look_seconds: float) -> None:
    """Runs dbmate, and sees meanwhile for whom it waits."""
    run = asyncio.ensure_future(asyncio.to_thread(_run_dbmate, database_url, folder))
    holders: list[str] = []
    while not run.done():
        await asyncio.wait({run}, timeout=look_seconds)
        holders = [row["holder"] for row in await connection.fetch(_HOLDERS, _NAME)] or holders
    try:
        run.result()
    except _Locked as locked:
        raise _Locked(f"{locked} does not get its locks: {', '.join(holders) or 'somebody'} is in the way.") from None


def _run_dbmate(database_url: str, folder: Path) -> None:
    done = subprocess.run(
        [_dbmate(), "--no-dump-schema", "--migrations-dir", str(folder), "migrate"],
        env={"DATABASE_URL": _without_tls(database_url), "PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        if any(code in said for code in _PASSING):
            raise _Locked(done.stdout.strip().rpartition("Applying: ")[2])
        raise MigrationFailed(said)


def _dbmate() -> str:
    beside = Path(sys.executable).parent / "dbmate"
    found = str(beside) if beside.exists() else shutil.which("dbmate")
    if found is None:
        raise MigrationFailed("dbmate is not installed; it comes with Chappe's own dependencies.")
    return found


def _without_tls(database_url: str) -> str:
    """Says so when no TLS is asked for: dbmate insists on TLS unless told otherwise; asyncpg only prefers it."""
    return database_url if "sslmode=" in database_url else _with(database_url, "sslmode=disable")


def _with(database_url: str, setting: str) -> str:
    return f"{database_url}{'&' if '?' in database_url else '?'}{setting}"
