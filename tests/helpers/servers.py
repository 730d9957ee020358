"""The real servers tests run against: one PostgreSQL and two Valkeys for a whole session."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from core.migrate import migrate
from stack import homes
from stack.ports import Ports
from stack.postgres import Postgres
from stack.valkey import CACHE, QUEUE, Valkey

_TEMPLATE = "chappe_template"


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases for tests: migrated once, then copied."""

    server: Postgres
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Yields the address of a fresh, migrated database that is dropped afterwards."""
        self._make_template()
        with self.empty(template=_TEMPLATE) as url:
            yield url

    @contextmanager
    def empty(self, *, template: str = "template1") -> Iterator[str]:
        """Yields the address of a fresh database without our tables, or with those of the template."""
        name = f"chappe_test_{next(self._numbers)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.server.url(name)
        finally:
            self.server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _make_template(self) -> None:
        known = self.server.execute("SELECT datname FROM pg_database").split()
        if _TEMPLATE in known:
            return
        self.server.execute(f"CREATE DATABASE {_TEMPLATE}")
        try:
            migrate(self.server.url(_TEMPLATE))
        except BaseException:
            self.server.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")
            raise


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """Yields a folder for servers and removes all they left, also as root."""
    directory = Path(tempfile.mkdtemp(prefix="chappe-test-"))
    try:
        yield directory
    finally:
        homes.remove(directory)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Yields a running PostgreSQL that forgets everything afterwards; a durable one waits for the disk until then."""
    with temporary_directory() as directory, Postgres(directory=directory, ports=Ports(), durable=durable) as server:
        yield server


@contextmanager
def valkeys() -> Iterator[tuple[Valkey, Valkey]]:
    """Yields the running queue and cache servers."""
    ports = Ports()
    with ExitStack() as stack:
        directory = stack.enter_context(temporary_directory())
        queue = stack.enter_context(Valkey(name="queue", directory=directory, ports=ports, policy=QUEUE))
        cache = stack.enter_context(Valkey(name="cache", directory=directory, ports=ports, policy=CACHE))
        yield queue, cache


def empty_valkey(url: str) -> None:
    """Deletes all keys and functions of a Valkey server."""
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
        connection.script_flush()
