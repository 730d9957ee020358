"""Counts the SQL statements a call makes, to hold that none runs once per row."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from core.db import WALKS_INDEXES, Connection, Database

_VERBS = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "copy_records_to_table", "cursor"})


class CountingDatabase(Database):
    """A database that notes the name of each statement sent through it, or the statement itself where it has none."""

    def __init__(self, *, url: str, pool_size: int = 2) -> None:
        super().__init__(url=url, pool_size=pool_size, planner=WALKS_INDEXES)
        self.statements: list[str] = []

    def forget(self) -> None:
        """Begins to count anew."""
        self.statements.clear()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends what the real database lends, and listens in."""
        async with super().connection() as connection:
            yield self._listened(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lends what the real database lends, and listens in; BEGIN and COMMIT are not counted."""
        async with super().transaction() as connection:
            yield self._listened(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Lends what the real database lends, and listens in."""
        async with super().snapshot() as connection:
            yield self._listened(connection)

    def _listened(self, connection: Connection) -> Connection:
        return cast("Connection", _Listened(connection, self._note))

    def _note(self, statement: str) -> None:
        first = statement.splitlines()[0]
        self.statements.append(first.removeprefix("-- name: "))


class _Listened:
    """A connection that tells what it is asked."""

    def __init__(self, connection: Connection, note: Callable[[str], None]) -> None:
        self._connection = connection
        self._note = note

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._connection, name)
        if name not in _VERBS:
            return verb

        def listened(statement: str, *arguments: object, **options: object) -> object:
            self._note(statement)
            return verb(statement, *arguments, **options)

        return listened
