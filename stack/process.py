"""A child process: started, watched until it is ready, stopped kindly and then surely."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from core.clock import SystemClock

_TRAMPOLINE = str(Path(__file__).with_name("child.py"))
_LAST_LINES = 20
_POLL_SECONDS = 0.02


class StartError(Exception):
    """Says which program did not start, with the last lines it wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Holds what is needed to start a program and to know, by its process id, that it is ready."""

    name: str
    argv: tuple[str, ...]
    log_file: Path
    ready: Callable[[int], bool]
    port_file: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    uid: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_seconds: float = 30.0
    stop_seconds: float = 15.0


class Process:
    """Runs one command; on Linux it ends even when we are killed."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Starts the program and waits until it is ready."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stops the program."""
        self.stop()

    @property
    def pid(self) -> int:
        """Returns the id of the running process; raises StartError when none runs."""
        if self._child is None:
            raise StartError(f"{self.command.name} is not running")
        return self._child.pid

    def is_running(self) -> bool:
        """Tells whether the process lives."""
        return self._child is not None and self._child.poll() is None

    def start(self) -> Self:
        """Starts the program and waits until it is ready; raises StartError when it does not get there."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def launch(self) -> None:
        """Starts the program without waiting, in a session of its own, so that Ctrl-C reaches only its parent.

        Call it from a thread that lives on, such as the main one: its end counts as the parent's death.
        """
        command = self.command
        uid = "-" if command.uid is None else str(command.uid)
        trampoline = (sys.executable, "-I", "-S", _TRAMPOLINE, str(int(command.stop_signal)), str(os.getpid()), uid)
        if command.port_file is not None:
            command.port_file.unlink(missing_ok=True)  # a killed process leaves one behind
        with command.log_file.open("ab") as log:
            self._child = subprocess.Popen(
                trampoline + command.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(command.env),
                cwd=command.cwd,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Returns once the program is ready; raises StartError when it ended first or took too long."""
        clock = SystemClock()
        deadline = clock.monotonic() + self.command.start_seconds
        while not self.command.ready(self.pid):
            if not self.is_running():
                raise StartError(f"{self.command.name} ended before it was ready:\n{self.last_lines()}")
            if clock.monotonic() > deadline:
                raise StartError(
                    f"{self.command.name} was not ready after {self.command.start_seconds:g} s:\n{self.last_lines()}"
                )
            self._rest()

    def send(self, signal_number: signal.Signals) -> None:
        """Sends the process a signal; a dead process takes none."""
        if self._child is not None:
            self._child.send_signal(signal_number)

    def kill(self) -> None:
        """Kills the process and all it started, at once."""
        if self._child is None:
            return
        _kill_group(self._child.pid)
        self._child.wait()

    def ask_to_stop(self) -> None:
        """Asks the process to end, without waiting; a frozen one is thawed so that it can."""
        self.send(self.command.stop_signal)
        self.send(signal.SIGCONT)

    def stop(self) -> None:
        """Asks the process to end, waits, and kills what is left of it."""
        if self._child is None:
            return
        self.ask_to_stop()
        try:
            self._child.wait(timeout=self.command.stop_seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()
            self._child = None

    def last_lines(self) -> str:
        """Returns the end of what the program wrote."""
        try:
            lines = self.command.log_file.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return "(it wrote nothing)"
        return "\n".join(lines[-_LAST_LINES:]) or "(it wrote nothing)"

    def _rest(self) -> None:
        if self._child is None:
            return
        try:
            self._child.wait(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            return


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
