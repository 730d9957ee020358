"""The ways a process shows that it is ready."""

from collections.abc import Callable
from pathlib import Path

from stack import ports


def by_port(port: int) -> Callable[[int], bool]:
    """Returns a check that the port takes connections."""
    return lambda _pid: ports.answers(port)


def by_port_file(path: Path) -> Callable[[int], bool]:
    """Returns a check that the process wrote the port it listens on into the file, or a line for each of several."""
    return lambda _pid: path.is_file() and "".join(path.read_text().split()).isdigit()


def by_postmaster_file(path: Path) -> Callable[[int], bool]:
    """Returns a check that PostgreSQL calls itself ready, under the very process id that was started."""

    def is_ready(pid: int) -> bool:
        lines = path.read_text().split() if path.is_file() else []
        return bool(lines) and lines[0] == str(pid) and lines[-1] == "ready"

    return is_ready
