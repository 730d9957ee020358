"""Rows as a business has them after some campaigns, in any number: skewed, and in the order in which they would come.

Contacts were imported country by country, so that their numbers follow their age; a tenth of all messages lies in each
of a few large campaigns; few contacts have what few have. All is put in by sets, with indexes made afterwards and
counters counted at the end, so that ten million messages take minutes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from core.queries import parse

Say = Callable[[str], object]

SQL: Final = parse(Path(__file__).with_suffix(".sql").read_text())
_LARGE: Final = (
    "contacts",
    "category_contacts",
    "messages",
    "interactions",
    "message_attempts",
    "counters",
    "minute_counters",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """Says how many rows there are; no campaign has more messages than there are contacts."""

    messages: int
    contacts: int


async def fill(url: str, volume: Volume, *, say: Say = lambda _: None) -> None:
    """Fills a migrated, empty database; nothing is analysed and no trigger fires."""
    connection = await asyncpg.connect(url, timeout=60, command_timeout=1800)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(
            "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; SET jit = off"
        )
        for table in _LARGE:
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        await _fill(connection, volume, say)
    finally:
        await connection.close()


async def know(url: str) -> None:
    """Gathers statistics and marks what is visible to all, as autovacuum does in time."""
    connection = await asyncpg.connect(url, command_timeout=1800)
    try:
        await connection.execute("VACUUM (ANALYZE)")
    finally:
        await connection.close()


async def _fill(connection: "asyncpg.Connection[asyncpg.Record]", volume: Volume, say: Say) -> None:
    indexes = await connection.fetch(SQL["secondary"], list(_LARGE))
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    for name, arguments in _steps(volume).items():
        say(name)
        await connection.execute(SQL[name], *arguments)
    for index in indexes:
        say(f"index {index['name']}")
        await connection.execute(index["definition"])


def _steps(volume: Volume) -> dict[str, tuple[int, ...]]:
    """Returns the statements in their order, with their arguments."""
    return {
        "senders": (),
        "templates": (),
        "categories": (),
        "contacts": (volume.contacts,),
        "members": (),
        "count_members": (),
        "campaigns": (volume.messages,),
        "messages": (),
        "interactions": (),
        "attempts": (),
        "counters": (),
        "minutes": (),
        "replied": (),
        "replies": (),
    }
