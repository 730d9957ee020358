"""A server that is no use for a while: it answers nothing, or lets nobody in."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from stack.postgres import Postgres
from stack.valkey import Valkey


@contextmanager
def frozen(server: Postgres | Valkey) -> Iterator[None]:
    """Stops a server in its tracks, with all that serve its connections: it takes them and answers nothing."""
    first = psutil.Process(server.process.pid)
    first.suspend()  # so that it starts no others
    family = [*first.children(recursive=True), first]
    try:
        for each in family:
            each.suspend()
        yield
    finally:
        for each in family:
            each.resume()


@contextmanager
def closed(postgres: Postgres, url: str) -> Iterator[None]:
    """Ends the connections to one of its databases and takes no others."""
    name = url.partition("?")[0].rpartition("/")[2]
    postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")  # noqa: S608  # names of our own
        yield
    finally:
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
