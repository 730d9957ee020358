"""The same volume of rows as the planner may know it: not at all, from when it was small, or as it is.

Beside messages stands what piles up around them: bodies of webhooks, consents, campaigns of past years.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

import asyncpg

from core.queries import parse
from tests.helpers.volume import Volume, fill

_SURROUNDINGS: Final = parse(Path(__file__).with_name("surroundings.sql").read_text())
_AROUND: Final = ("campaigns", "consent_events", "replied_messages", "webhook_deliveries")

VOLUME = Volume(messages=100_000, contacts=20_000)
_SMALL = Volume(messages=2_000, contacts=200)


class Knowledge(StrEnum):
    """Says what statistics tell of the rows."""

    NONE = "never analysed"
    STALE = "analysed when small"
    FRESH = "analysed"


async def fill_volume(url: str, knowledge: Knowledge) -> None:
    """Fills an empty database so that the planner knows of it what is asked for."""
    if knowledge is Knowledge.STALE:
        await _fill(url, _SMALL)
        # What is rare has mostly not come yet when there is little: then nothing is known of it.
        await _execute(url, "DELETE FROM interactions WHERE kind = 'ORDER'")
        await _execute(url, "ANALYZE")
        await _execute(url, "TRUNCATE senders, templates, contacts, categories, campaigns CASCADE")
        await _execute(url, "TRUNCATE messages, message_attempts, interactions, counters, minute_counters")
        await _execute(url, "TRUNCATE replied_messages, reply_counters, consent_events, webhook_deliveries")
    await _fill(url, VOLUME)
    if knowledge is Knowledge.FRESH:
        await _execute(url, "VACUUM (ANALYZE)")


async def _fill(url: str, volume: Volume) -> None:
    # First of all: what autovacuum once looked at while it was filled is no longer what nobody knows anything of.
    for table in _AROUND:
        await _execute(url, f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    await fill(url, volume)
    for statement in _SURROUNDINGS.values():
        await _execute(url, statement)


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
