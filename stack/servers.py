"""The servers we did not write: PostgreSQL and two Valkeys, in one folder."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from stack import homes
from stack.lock import locked
from stack.ports import Ports
from stack.postgres import Postgres
from stack.valkey import CACHE, QUEUE, Valkey


class Servers:
    """Runs PostgreSQL, the queue's Valkey and the cache's."""

    def __init__(
        self, *, directory: Path | None, ports: Ports, durable: bool = True, say: Callable[[str], None] = lambda _: None
    ) -> None:
        """Takes the folder that keeps data and logs; without one, a temporary folder is made and removed."""
        self._exits = ExitStack()
        self._ports = ports
        self._durable = durable
        self._say = say
        self._is_temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="chappe-"))

    def __enter__(self) -> Self:
        """Starts the three; raises StartError with the end of a log when one does not start."""
        try:
            self._start()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the three, and removes a temporary folder."""
        self._exits.close()

    def _start(self) -> None:
        if self._is_temporary:
            self._exits.callback(homes.remove, self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._exits.enter_context(locked(self.directory))
        self._say("starting PostgreSQL")
        self.postgres = self._exits.enter_context(
            Postgres(directory=self.directory, ports=self._ports, durable=self._durable)
        )
        self._say("starting two Valkeys")
        self.queue = self._exits.enter_context(
            Valkey(name="queue", directory=self.directory, ports=self._ports, policy=QUEUE)
        )
        self.cache = self._exits.enter_context(
            Valkey(name="cache", directory=self.directory, ports=self._ports, policy=CACHE)
        )
