"""A database that takes connections and statements and answers none."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from stack.postgres import Postgres


@contextmanager
def frozen(postgres: Postgres) -> Iterator[None]:
    """Stops the database in its tracks, with all that serve its connections."""
    first = psutil.Process(postgres.process.pid)
    first.suspend()  # so that it starts no others
    family = [*first.children(recursive=True), first]
    try:
        for each in family:
            each.suspend()
        yield
    finally:
        for each in family:
            each.resume()
