"""Writes sql/schema.sql: what the migrations make of an empty database, as pg_dump prints it."""

import subprocess
import tempfile
from pathlib import Path

from core.migrate import migrate
from stack import homes
from stack.ports import Ports
from stack.postgres import Postgres, binaries

SCHEMA_FILE = Path(__file__).resolve().parents[1] / "sql" / "schema.sql"

_HEADER = "-- The schema that all migrations together must produce. Made by `make gen`; do not edit.\n\n"
# Lines that differ between servers or runs and say nothing about the schema.
_NOISE = ("--", "SET ", "SELECT pg_catalog.set_config", "\\restrict", "\\unrestrict")


def snapshot() -> str:
    """Starts a PostgreSQL, applies all migrations, and returns the schema they made."""
    directory = Path(tempfile.mkdtemp(prefix="chappe-schema-"))
    try:
        with Postgres(directory=directory, ports=Ports(), durable=False) as server:
            migrate(server.url())
            return dump(server.url())
    finally:
        homes.remove(directory)


def dump(url: str) -> str:
    """Returns the schema of the database at `url`, without dbmate's own table."""
    done = subprocess.run(
        (str(binaries() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges",
         "--exclude-table=schema_migrations", f"--dbname={url}"),
        env={"LC_ALL": "C"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.rstrip() for line in done.stdout.splitlines() if not line.startswith(_NOISE)]
    return _HEADER + "\n".join(_without_double_blanks(lines)).strip() + "\n"


def _without_double_blanks(lines: list[str]) -> list[str]:
    return [line for number, line in enumerate(lines) if line or (number and lines[number - 1])]


if __name__ == "__main__":
    SCHEMA_FILE.write_text(snapshot(), encoding="utf-8")
