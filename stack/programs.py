"""Our own programs as commands: what each is called, told, and known to be ready by."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.settings import Settings
from stack.process import Command
from stack.ready import by_port_file

ROOT = Path(__file__).parent.parent
# Beside waiting for answers a worker writes what came of them, and closes its connections.
_SETTLE_SECONDS = 10.0
_IMPORTABLE = os.pathsep.join(str(ROOT / part) for part in ("", "gen", "client"))


def chappe(verb: str, *, name: str, directory: Path, settings: Mapping[str, str]) -> Command:
    """Returns the command for a verb of `chappe` that serves: serve, webhooks, worker."""
    port_file = (directory / f"{name}.port").resolve()
    settings = {**settings, "CHAPPE_PORT_FILE": str(port_file)}
    command = _python(("cli", verb), name=name, directory=directory, settings=settings, port_file=port_file)
    return replace(command, stop_seconds=_drain_seconds(settings) + _SETTLE_SECONDS) if verb == "worker" else command


def simulator(*, directory: Path, port: int, settings: Mapping[str, str]) -> Command:
    """Returns the command for the WhatsApp simulator, which reads SIMULATOR_ variables."""
    port_file = (directory / "simulator.port").resolve()
    settings = {**settings, "SIMULATOR_PORT": str(port), "SIMULATOR_PORT_FILE": str(port_file)}
    return _python(("simulator",), name="simulator", directory=directory, settings=settings, port_file=port_file)


def environment(settings: Mapping[str, str], *, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Returns the shell's environment with these settings, and without those it holds itself."""
    kept = {name: value for name, value in shell.items() if not name.startswith(("CHAPPE_", "SIMULATOR_"))}
    return {**kept, **settings, "PYTHONPATH": _IMPORTABLE, "PYTHONUNBUFFERED": "1"}


def _drain_seconds(settings: Mapping[str, str]) -> float:
    """Returns how long a worker with these variables waits for answers: it must not be killed meanwhile."""
    usual = Settings.model_construct()
    grace = float(settings.get("CHAPPE_STOP_GRACE_SECONDS", usual.stop_grace_seconds))
    timeout = float(settings.get("CHAPPE_WHATSAPP_TIMEOUT_SECONDS", usual.whatsapp_timeout_seconds))
    return Settings.model_construct(stop_grace_seconds=grace, whatsapp_timeout_seconds=timeout).drain_seconds


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
