"""A real database for machines: one connection, a clock that stands until moved, nothing left after an example."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Self, TypeVar, cast

import asyncpg
import orjson
from hypothesis import HealthCheck, settings

from core.db import Connection, Database, Row
from core.repositories.rooms import Store

START = datetime(2040, 1, 1, 12, tzinfo=UTC)
T = TypeVar("T")

# Statements ask for now(); on a search path that begins with this schema, they are told what the test says.
_CLOCK = """
    CREATE SCHEMA IF NOT EXISTS clock;
    CREATE OR REPLACE FUNCTION clock.now() RETURNS timestamptz LANGUAGE sql STABLE
        RETURN pg_catalog.current_setting('clock.moment')::timestamptz;"""

_ROWS = """
    SELECT scope_id, state AS what, error_code::text AS part, count(*) AS count
    FROM messages, unnest(counter_scopes(campaign_id)) AS scope_id GROUP BY 1, 2, 3
    UNION ALL
    SELECT scope_id, milestone, date_trunc('minute', at)::text, count(*)
    FROM messages, unnest(counter_scopes(campaign_id)) AS scope_id, LATERAL (VALUES ('at ACCEPTED', accept_time),
        ('at SENT', send_time), ('at DELIVERED', deliver_time), ('at READ', read_time), ('at FAILED', fail_time)
    ) AS stamp (milestone, at) WHERE at IS NOT NULL GROUP BY 1, 2, 3"""
_COUNTED = """
    SELECT scope_id, state AS what, error_code::text AS part, sum(count)::bigint AS count FROM counters GROUP BY 1, 2, 3
    UNION ALL
    SELECT scope_id, 'at ' || milestone, minute::text, sum(count)::bigint FROM minute_counters GROUP BY 1, 2, 3"""
MISCOUNTED = f"""
    SELECT what, part, told.count AS counted, truth.count AS is
    FROM ({_ROWS}) AS truth FULL JOIN ({_COUNTED}) AS told USING (scope_id, what, part)
    WHERE coalesce(truth.count, 0) <> coalesce(told.count, 0)"""  # noqa: S608  # constants of this file


class OneConnection(Database):
    """A database whose every connection is the same one; transactions nest in what is rolled back later."""

    def __init__(self, connection: "asyncpg.Connection[Row]") -> None:
        super().__init__(url="")
        self._one = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        yield cast("Connection", self._one)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._one.transaction():
            yield cast("Connection", self._one)


class Stage:
    """Where examples are played one after the other; use as a context manager, outside any event loop."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self.connection = self.run(connect(self._url))
        self.store = Store(OneConnection(self.connection))
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.connection.close())
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carries out one piece of work."""
        return self._runner.run(work)

    def open(self) -> None:
        """Begins an example."""
        self._transaction = self.connection.transaction()
        self.run(self._transaction.start())
        self.now = START
        self.move(0)

    def close(self) -> None:
        """Ends an example and forgets all it wrote."""
        self.run(self._transaction.rollback())

    def move(self, seconds: float) -> None:
        """Lets time pass."""
        self.now += timedelta(seconds=seconds)
        self.run(self.connection.execute(f"SET clock.moment = '{self.now.isoformat()}'"))

    @contextmanager
    def attempt(self, *, keep: bool) -> Iterator[None]:
        """Has what is done inside stay done, or not."""
        transaction = self.connection.transaction()
        self.run(transaction.start())
        yield
        self.run(transaction.commit() if keep else transaction.rollback())

    def do(self, statement: str, *arguments: object) -> None:
        """Carries out a statement."""
        self.run(self.connection.execute(statement, *arguments))

    def fetch(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """Returns the rows of a query."""
        return [dict(row) for row in self.run(self.connection.fetch(query, *arguments))]

    def value(self, query: str, *arguments: object) -> Any:
        """Returns the only value of a query."""
        return self.run(self.connection.fetchval(query, *arguments))


async def connect(database_url: str) -> "asyncpg.Connection[Row]":
    """Returns a connection that asks the stage for the time."""
    connection: asyncpg.Connection[Row] = await asyncpg.connect(database_url)
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )
    await connection.execute(_CLOCK)
    await connection.execute(f"SET search_path = clock, pg_catalog, public; SET clock.moment = '{START.isoformat()}'")
    return connection


def pace(*, examples: int, steps: int) -> settings:
    """Returns how long a machine runs: so long in a quick run, else as the chosen profile says."""
    nightly = settings.get_current_profile_name() == "nightly"
    if nightly:
        examples, steps = settings().max_examples, settings().stateful_step_count
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=not nightly,  # a quick run plays the same lives each time; chance is for the long one
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
