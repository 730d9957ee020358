"""Our own programs as commands: what each is called, told, and known to be ready by."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from stack.process import Command
from stack.ready import by_port_file

ROOT = Path(__file__).parent.parent
_IMPORTABLE = os.pathsep.join(str(ROOT / part) for part in ("", "gen", "client"))


def chappe(verb: str, *, name: str, directory: Path, settings: Mapping[str, str]) -> Command:
    """Returns the command for a verb of `chappe` that serves: serve, webhooks, worker."""
    port_file = (directory / f"{name}.port").resolve()
    settings = {**settings, "CHAPPE_PORT_FILE": str(port_file)}
    return _python(("cli", verb), name=name, directory=directory, settings=settings, port_file=port_file)


def simulator(*, directory: Path, port: int, arguments: Mapping[str, str]) -> Command:
    """Returns the command for the WhatsApp simulator; an argument `app-secret` becomes `--app-secret`."""
    port_file = (directory / "simulator.port").resolve()
    given = {"host": "127.0.0.1", "port": str(port), "port-file": str(port_file), **arguments}
    flags = tuple(part for name, value in given.items() for part in (f"--{name}", value))
    return _python(("simulator", *flags), name="simulator", directory=directory, settings={}, port_file=port_file)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Returns our environment with these settings and none of those the caller's shell may hold."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHAPPE_")}
    return {**kept, **settings, "PYTHONPATH": _IMPORTABLE, "PYTHONUNBUFFERED": "1"}


def _python(
    arguments: tuple[str, ...], *, name: str, directory: Path, settings: Mapping[str, str], port_file: Path
) -> Command:
    return Command(
        name=name,
        argv=(sys.executable, "-m", *arguments),
        log_file=directory / f"{name}.log",
        ready=by_port_file(port_file),
        port_file=port_file,
        env=environment(settings),
    )
