"""A real NATS server with JetStream, as a child process."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.ports import Ports
from stack.process import Command, Process
from stack.ready import by_port
from tests.helpers.servers import temporary_directory

_CONFIGURATION = """
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{store}" }}
authorization {{ user: chappe, password: "{password}" }}
"""


class Nats:
    """Runs one server; stopped and started again, it is found at the same address with what it stored."""

    def __init__(self, directory: Path) -> None:
        """Takes the folder for its configuration, its log and its streams."""
        port, password = Ports().take(), secrets.token_hex(16)
        self.url = f"nats://chappe:{password}@127.0.0.1:{port}"
        self._configuration = directory / "nats.conf"
        self._text = _CONFIGURATION.format(port=port, store=directory / "streams", password=password)
        self.process = Process(
            Command(
                name="nats",
                argv=(str(Path(sys.executable).with_name("nats-server")), "-c", str(self._configuration)),
                log_file=directory / "nats.log",
                ready=by_port(port),
            )
        )

    def start(self) -> None:
        """Starts the server and waits until it takes connections."""
        self._configuration.touch(mode=0o600)
        self._configuration.write_text(self._text)
        self.process.start()


@contextmanager
def nats() -> Iterator[Nats]:
    """Yields a running server that forgets everything afterwards."""
    with temporary_directory() as directory:
        server = Nats(directory)
        try:
            server.start()
            yield server
        finally:
            server.process.stop()
