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


def simulator(*, directory: Path, port: int, settings: Mapping[str, str]) -> Command:
    """Returns the command for the WhatsApp simulator, which reads SIMULATOR_ variables."""
    port_file = (directory / "simulator.port").resolve()
    settings = {**settings, "SIMULATOR_PORT": str(port), "SIMULATOR_PORT_FILE": str(port_file)}
    return _python(("simulator",), name="simulator", directory=directory, settings=settings, port_file=port_file)


def environment(settings: Mapping[str, str], *, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Returns the shell's environment with these settings, and without those it holds itself."""
    kept = {name: value for name, value in shell.items() if not name.startswith(("CHAPPE_", "SIMULATOR_"))}
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
