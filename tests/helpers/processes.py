"""Our own processes, one by one, for tests that kill, freeze and restart them."""

import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Self

from stack import programs
from stack.ports import Ports
from stack.process import Command, Process

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Processes:
    """Starts processes against given servers and stops them all at the end."""

    def __init__(self, *, directory: Path, settings: Mapping[str, str]) -> None:
        """Takes a folder for logs and port files, and the CHAPPE_ variables each process is started with."""
        self._directory = directory
        self._settings = dict(settings)
        self._ports = Ports()
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        """Starts nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stops what still runs, last started first."""
        self._exits.close()

    def start(self, verb: str, *, name: str = "", settings: Mapping[str, str] = _NOTHING) -> Process:
        """Starts `chappe serve`, `webhooks` or `worker` and returns it once it is ready."""
        given = {**self._settings, **settings}
        return self._run(programs.chappe(verb, name=name or verb, directory=self._directory, settings=given))

    def start_simulator(self, *, settings: Mapping[str, str] = _NOTHING) -> tuple[Process, str]:
        """Starts the WhatsApp simulator with SIMULATOR_ variables and returns it with its address."""
        port = self._ports.take()
        process = self._run(programs.simulator(directory=self._directory, port=port, settings=settings))
        return process, f"http://127.0.0.1:{port}"

    def _run(self, command: Command) -> Process:
        process = Process(command)
        self._exits.callback(process.stop)
        return process.start()


def port_of(process: Process) -> int:
    """Returns the port the process wrote when it was ready."""
    assert process.command.port_file is not None
    return int(process.command.port_file.read_text())


def freeze(process: Process) -> None:
    """Stops the process in its tracks; it believes that no time passes."""
    process.send(signal.SIGSTOP)


def thaw(process: Process) -> None:
    """Lets a frozen process go on."""
    process.send(signal.SIGCONT)
