"""What is measured, as processes: our server as it is, and what stands beside it."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.db import Database
from core.repositories.rooms import Store
from server.keys import create_key
from stack import programs
from stack.ports import Ports
from stack.process import Command, Process
from stack.ready import by_port_file
from stack.valkey import CACHE, QUEUE, Valkey


@dataclass(frozen=True, slots=True)
class Served:
    """Starts processes on one database and two Valkeys, known by their ports; all end with the stack."""

    exits: ExitStack
    directory: Path
    database_url: str
    key: str
    cache: Valkey
    queue: Valkey
    pids: dict[int, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, exits: ExitStack, directory: Path, database_url: str) -> "Served":
        """Starts the Valkeys and makes a key."""
        ports = Ports()
        directory.mkdir(exist_ok=True)
        queue = exits.enter_context(Valkey(name="queue", directory=directory, ports=ports, policy=QUEUE))
        cache = exits.enter_context(Valkey(name="cache", directory=directory, ports=ports, policy=CACHE))
        return cls(exits, directory, database_url, asyncio.run(_key(database_url)), cache, queue)

    def ours(self, name: str, *, processes: int = 1, cached: bool = True) -> int:
        """Starts our server and returns its port."""
        settings = {
            "CHAPPE_DATABASE_URL": self.database_url, "CHAPPE_QUEUE_URL": self.queue.url(),
            "CHAPPE_CACHE_URL": self.cache.url(), "CHAPPE_GRPC_PORT": "0", "CHAPPE_LOG_LEVEL": "INFO",
            "CHAPPE_CACHE_ENABLED": str(cached).lower(), "CHAPPE_PORT_FILE": str(self._port_file(name)),
        }  # fmt: skip
        return self._start(name, ("-m", "server", "--processes", str(processes)), settings)

    def beside(self, module: str, *arguments: str, name: str = "") -> int:
        """Starts a server of this folder, once under each name, and returns its port."""
        name = name or module.rpartition(".")[2]
        return self._start(name, ("-m", module, "--port-file", str(self._port_file(name)), *arguments), {})

    def cpu_seconds(self, port: int) -> float:
        """Returns the CPU that the processes behind a port have taken so far."""
        process = psutil.Process(self.pids[port])
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
        return float(sum(each.user + each.system for each in times))

    def _start(self, name: str, arguments: Sequence[str], settings: Mapping[str, str]) -> int:
        port_file = self._port_file(name)
        command = Command(
            name=name, argv=(sys.executable, *arguments), log_file=self.directory / f"{name}.log",
            ready=by_port_file(port_file), port_file=port_file, env=programs.environment(settings),
        )  # fmt: skip
        process = self.exits.enter_context(Process(command))
        port = int(port_file.read_text())
        self.pids[port] = process.pid
        return port

    def _port_file(self, name: str) -> Path:
        return self.directory / f"{name}.port"


async def _key(database_url: str) -> str:
    async with Database(url=database_url, pool_size=1) as database:
        return await create_key(Store(database), role="ADMIN", display_name="bench")
