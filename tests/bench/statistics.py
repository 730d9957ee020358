"""What a number costs: read from counters, counted anew, or kept in a materialized view; and what counting costs.

    python -m tests.bench.statistics --messages 200000

prints medians on an embedded PostgreSQL, in milliseconds and messages per second.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeAlias
from uuid import UUID

import asyncpg

from core.domain.stats import DEPLOYMENT
from core.queries import load
from tests.helpers import servers
from tests.helpers.servers import Databases

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_CAMPAIGNS, _BATCH, _ROUNDS = 10, 500, 20
_FILL = """INSERT INTO messages (campaign_id, sender_id, state, accept_time)
SELECT ('00000000-0000-0000-0000-0000000000' || lpad((n % 10)::text, 2, '0'))::uuid, $2,
    CASE WHEN n % 7 = 0 THEN 'READ' ELSE 'ACCEPTED' END, now() - (n % 86400) * interval '1 second'
FROM generate_series(1, $1::integer) AS n"""
_VIEW = """CREATE MATERIALIZED VIEW counted AS
SELECT campaign_id, state, error_code, count(*) AS count FROM messages GROUP BY 1, 2, 3"""
_SETTLE = """UPDATE messages SET state = CASE state WHEN 'READ' THEN 'SENT' ELSE 'READ' END, read_time = now()
FROM (SELECT campaign_id, id FROM messages WHERE campaign_id = $1 ORDER BY id LIMIT $2 FOR UPDATE) AS batch
WHERE messages.campaign_id = batch.campaign_id AND messages.id = batch.id"""
_NOW, _THEN = "ON CONSTRAINT counters_pkey", "ON CONSTRAINT joined_key"
_JOINED = Path(__file__).parents[2] / "sql/migrations/0016_pre_count_without_joining.sql"


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.statistics", description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    count = parser.parse_args().messages
    with servers.postgres() as server, Databases(server).copy() as url:
        print(json.dumps(asyncio.run(_measure(url, count)), indent=2))


async def _measure(url: str, count: int) -> dict[str, object]:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        await connection.execute(_FILL, count, UUID(int=9), timeout=600)
        await connection.execute("ANALYZE")
        return {
            "messages": count,
            "read_ms": await _reads(connection),
            "refresh_ms": await _refreshes(connection),
            "settle_messages_per_second": await _writes(connection),
            "settle_first_large_batch_ms": await _first_large_batches(url),
        }
    finally:
        await connection.close()


async def _reads(connection: Connection) -> dict[str, float]:
    """Reads the deployment's numbers in three ways."""
    await connection.execute(_VIEW)
    stats = load("stats")["get_message_stats"]
    counting = "SELECT state, error_code, count(*) FROM messages GROUP BY 1, 2"
    viewing = "SELECT state, error_code, sum(count) FROM counted GROUP BY 1, 2"
    return {
        "counters": await _milliseconds(lambda: connection.fetch(stats, DEPLOYMENT)),
        "view": await _milliseconds(lambda: connection.fetch(viewing)),
        "counting": await _milliseconds(lambda: connection.fetch(counting), rounds=5),
    }


async def _refreshes(connection: Connection) -> dict[str, float]:
    """Makes the view fresh, alone and beside readers."""
    await connection.execute("CREATE UNIQUE INDEX ON counted (campaign_id, state, error_code)")
    plain, beside = "REFRESH MATERIALIZED VIEW counted", "REFRESH MATERIALIZED VIEW CONCURRENTLY counted"
    return {
        "alone": await _milliseconds(lambda: connection.execute(plain), rounds=5),
        "beside_readers": await _milliseconds(lambda: connection.execute(beside), rounds=5),
    }


async def _writes(connection: Connection) -> dict[str, float]:
    """Moves batches with the counting trigger and without it, in turns."""
    taken: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    for number in range(_ROUNDS * 2):
        switch = ("ENABLE", "DISABLE")[number % 2]
        await connection.execute(f"ALTER TABLE messages {switch} TRIGGER messages_count_update")
        start = perf_counter()
        await connection.execute(_SETTLE, UUID(int=number % _CAMPAIGNS), _BATCH)
        taken[switch].append(perf_counter() - start)
    await connection.execute("ALTER TABLE messages ENABLE TRIGGER messages_count_update")
    names = {"ENABLE": "counted", "DISABLE": "uncounted"}
    return {names[switch]: round(_BATCH / median(seconds)) for switch, seconds in taken.items()}


async def _first_large_batches(url: str) -> dict[str, float]:
    """Moves 2,000 messages on a connection whose first update had none: without joining before and after, and with."""
    without = await _first_large_batch(url)
    connection = await asyncpg.connect(url)
    try:
        # The function as it was stands where the migration is taken back; it knows no reasons, nor do these messages.
        await connection.execute(_JOINED.read_text().partition("-- migrate:down")[2].replace(_NOW, _THEN))
        await connection.execute(
            "ALTER TABLE counters ADD CONSTRAINT joined_key UNIQUE (scope_id, state, error_code, shard)"
        )
    finally:
        await connection.close()
    return {"added_and_subtracted": without, "joined": await _first_large_batch(url)}


async def _first_large_batch(url: str) -> float:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("UPDATE messages SET state = 'SENT' WHERE false")
        start = perf_counter()
        await connection.execute(_SETTLE, UUID(int=1), 2000, timeout=120)
        return round((perf_counter() - start) * 1000, 1)
    finally:
        await connection.close()


async def _milliseconds(work: Callable[[], Awaitable[object]], *, rounds: int = _ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        start = perf_counter()
        await work()
        taken.append((perf_counter() - start) * 1000)
    return round(median(taken), 3)


if __name__ == "__main__":
    main()
