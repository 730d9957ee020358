"""Fixtures every test may ask for: servers for the session, a database for each module, empty Valkeys for each test."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from stack.postgres import Postgres
from stack.valkey import Valkey
from tests.helpers import servers
from tests.helpers.nats import Nats, nats
from tests.helpers.servers import Databases


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL."""
    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """The maker of databases, for tests that need several or an empty one."""
    return Databases(postgres)


@pytest.fixture(scope="module")
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database, shared by the tests of one module."""
    with databases.copy() as url:
        yield url


@pytest.fixture
def fresh_database_url(databases: Databases) -> Iterator[str]:
    """A migrated database of the test's own, for what commits."""
    with databases.copy() as url:
        yield url


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection in a transaction that is rolled back."""
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.fixture(scope="session")
def valkeys() -> Iterator[tuple[Valkey, Valkey]]:
    """The running queue and cache servers."""
    with servers.valkeys() as pair:
        yield pair


@pytest.fixture
def queue_url(valkeys: tuple[Valkey, Valkey]) -> str:
    """The queue's Valkey, emptied."""
    servers.empty_valkey(valkeys[0].url())
    return valkeys[0].url()


@pytest.fixture
def cache_url(valkeys: tuple[Valkey, Valkey]) -> str:
    """The cache's Valkey, emptied."""
    servers.empty_valkey(valkeys[1].url())
    return valkeys[1].url()


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Nats]:
    """A running NATS server."""
    with nats() as server:
        yield server
