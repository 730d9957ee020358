"""The door to PostgreSQL: a pool, connections as repositories see them, transactions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType, TracebackType
from typing import Any, Final, Protocol, Self, cast

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy

from core.domain.errors import Conflict, InvalidArgument, Refusal, Unavailable
from core.leaving import leave

Row = asyncpg.Record

_AS_CONFIGURED: Mapping[str, str] = MappingProxyType({})
# For connections whose statements all have an index to walk. Statistics older than a bulk load, and plans kept for any
# value, make the planner collect and sort what a walk in order would have found in its first fifty entries.
WALKS_INDEXES: Mapping[str, str] = MappingProxyType({"enable_seqscan": "off", "enable_bitmapscan": "off", "jit": "off"})

# A transaction of ours waits for nobody but the database. One that does nothing for so long is of a process that is
# frozen, or of a machine that is gone, of which TCP alone would tell after hours; others wait for what it has locked.
_IDLE_SECONDS = 30.0
# Of the API and the workers, in whose transactions nothing but the next statement is waited for. Who thinks for longer
# between two, or has people wait for it, sets a time of its own in its transaction.
BUSY_IDLE_SECONDS: Final = 5.0

# Of a connection given back, so long is waited for what was cut off on it.
_RELEASE_SECONDS = 1.0

# The reason of a Conflict that a second try of the whole transaction may well not meet.
TRANSACTION_CONFLICT = "TRANSACTION_CONFLICT"


class Connection(Protocol):
    """What a repository may ask of a connection; a pool's connection and a plain one both answer to it."""

    async def execute(self, query: str, /, *arguments: object) -> str:
        """Runs a statement; returns its command tag."""
        ...

    async def fetch(self, query: str, /, *arguments: object) -> list[Row]:
        """Runs a statement; returns all its rows."""
        ...

    async def fetchrow(self, query: str, /, *arguments: object) -> Row | None:
        """Runs a statement; returns its first row, None when there is none."""
        ...

    async def fetchval(self, query: str, /, *arguments: object) -> Any:  # noqa: ANN401 - whatever the column holds
        """Runs a statement; returns the first column of its first row."""
        ...

    async def copy_records_to_table(
        self, table_name: str, /, *, records: Sequence[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Streams records into a table; the fastest way in."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """Shows a pool: connections in use and idle, how many there may be, who waits, and how long all have waited."""

    used: int
    idle: int
    limit: int
    waiting: int
    wait_count: int
    wait_seconds: float


class Database:
    """A pool of connections to one PostgreSQL; use as an async context manager."""

    def __init__(
        self,
        *,
        url: str,
        pool_size: int = 10,
        application_name: str = "chappe",
        planner: Mapping[str, str] = _AS_CONFIGURED,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        """Takes the address, how many connections at most, and what the planner is told on each of them.

        A transaction that does nothing for `idle_seconds` is ended by the server, with its connection; 0: none is.
        """
        self._url = url
        self._pool_size = pool_size
        self._application_name = application_name
        self._planner = planner
        self._idle_milliseconds = round(idle_seconds * 1000)
        self._pool: asyncpg.Pool[Row] | None = None
        self._waiting = 0
        self._wait_count = 0
        self._wait_seconds = 0.0

    async def __aenter__(self) -> Self:
        try:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=self._pool_size,
                init=_prepare_connection,
                reset=_keep_session,
                command_timeout=60,
                server_settings=self._session(),
            )
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise _unavailable() from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            await leave(self._pool.close())  # which, given up, cuts the connections off
            self._pool = None

    def _session(self) -> dict[str, str]:
        return {
            "application_name": self._application_name,
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": str(self._idle_milliseconds),
            **self._planner,
        }

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends a connection without a transaction: each statement commits by itself."""
        async with _refusing(), self._acquire() as connection:
            yield cast("Connection", connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lends a connection inside a transaction that commits when the block ends and rolls back when it raises."""
        async with _refusing(), self._acquire() as connection, connection.transaction():
            yield cast("Connection", connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Lends a connection whose statements all see the rows as of the first one, and may change none."""
        async with (
            _refusing(),
            self._acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield cast("Connection", connection)

    async def ping(self, *, timeout: float = 1.0) -> None:
        """Asks for a sign of life within that many seconds; refuses with ``DATABASE_UNAVAILABLE``."""
        async with _refusing(), self._acquire(timeout=timeout) as connection:
            await connection.fetchval("SELECT 1", timeout=timeout)

    @property
    def use(self) -> PoolUse:
        """How the pool is used now, and how long connections were waited for since it was opened."""
        pool = self._open_pool()
        idle = pool.get_idle_size()
        return PoolUse(
            used=pool.get_size() - idle,
            idle=idle,
            limit=self._pool_size,
            waiting=self._waiting,
            wait_count=self._wait_count,
            wait_seconds=self._wait_seconds,
        )

    @asynccontextmanager
    async def _acquire(self, *, timeout: float | None = None) -> "AsyncIterator[PoolConnectionProxy[Row]]":
        """Whatever keeps us from a connection, down to a changed password, is the same to a caller: try again."""
        pool = self._open_pool()
        try:
            connection = await self._wait_for(pool, timeout=timeout)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            raise _unavailable() from error
        try:
            yield connection
        finally:
            # A statement that was cut off is waited for; on a silent server its connection is cut off as well.
            with suppress(TimeoutError):
                await pool.release(connection, timeout=_RELEASE_SECONDS)

    async def _wait_for(self, pool: "asyncpg.Pool[Row]", *, timeout: float | None) -> "PoolConnectionProxy[Row]":
        start = perf_counter()
        self._waiting += 1
        try:
            return await pool.acquire(timeout=timeout)
        finally:
            self._waiting -= 1
            self._wait_count += 1
            self._wait_seconds += perf_counter() - start

    def _open_pool(self) -> "asyncpg.Pool[Row]":
        if self._pool is None:
            raise RuntimeError("The database is used outside its context manager.")
        return self._pool


@asynccontextmanager
async def _refusing() -> AsyncIterator[None]:
    """Turns what the driver raises into refusals, where callers can act on it; the rest stays a failure."""
    try:
        yield
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        raise refusal from error


def _unavailable() -> Unavailable:
    return Unavailable("DATABASE_UNAVAILABLE", "The database does not answer; try again.")


def _refusal(error: Exception) -> Refusal | None:
    match error:
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError() | asyncpg.LockNotAvailableError():
            return Conflict(TRANSACTION_CONFLICT, "Another change got in the way; try again.")
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return InvalidArgument("TEXT_INVALID", "A text holds a character that cannot be stored, such as NUL.")
        case (
            asyncpg.PostgresConnectionError()
            | asyncpg.OperatorInterventionError()
            | asyncpg.InsufficientResourcesError()
            | OSError()
            | TimeoutError()
        ):
            return _unavailable()
        case asyncpg.InterfaceError() if "clos" in str(error):  # "is closed", "is closing"; the others are our mistakes
            return _unavailable()
        case _:
            return None


def is_of_values(error: Exception) -> bool:
    """Whether a statement failed for the values it was given, and so fails with them each time."""
    return isinstance(
        error,
        InvalidArgument
        | asyncpg.DataError
        | asyncpg.IntegrityConstraintViolationError
        | asyncpg.ProgramLimitExceededError,
    )


async def _prepare_connection(connection: "asyncpg.Connection[Row]") -> None:
    for type_name in ("json", "jsonb"):
        await connection.set_type_codec(type_name, schema="pg_catalog", encoder=_encode_json, decoder=orjson.loads)


async def _keep_session(_connection: "asyncpg.Connection[Row]") -> None:
    """Saves a round trip after each use: no statement of ours leaves anything behind in a session (a test looks)."""


def _encode_json(value: object) -> str:
    return orjson.dumps(value).decode()
