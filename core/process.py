"""What our processes do alike: they say in a line why they cannot start, say when they are ready, and end when told."""

import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import uvloop

from core.memory import look_rarely
from core.settings import Settings, SettingsError
from core.telemetry import configure_logging

_log = logging.getLogger(__name__)


class Door(Protocol):
    """Takes calls from ``open`` to ``close``."""

    async def open(self) -> int:
        """Begins to take calls and returns the port."""
        ...

    async def close(self) -> None:
        """Lets calls end and takes no more; also when it was opened only in part."""
        ...


def run(
    verb: str,
    work: Callable[[Settings], Coroutine[Any, Any, None]],
    *,
    service: str,
    expected: tuple[type[Exception], ...],
) -> None:
    """Does the work of a verb of `chappe` under the name of a service; exits with one line when it cannot start.

    ``expected`` are the exceptions that say why, beside those of the settings.
    """
    reasons: tuple[type[Exception], ...] = (SettingsError, *expected)
    try:
        settings = Settings.load()
        configure_logging(service, settings.log_level)
        uvloop.run(work(settings))
    except reasons as error:
        sys.exit(f"chappe {verb}: {error}")


@asynccontextmanager
async def opened(door: AbstractAsyncContextManager[Door]) -> AsyncIterator[int]:
    """Takes calls inside the block, and yields the port."""
    async with door as held:
        try:
            yield await held.open()
        finally:
            await held.close()  # what was half open when a stop was asked for, too


def say_ready(settings: Settings, what: str, ports: Sequence[int] = (0,)) -> None:
    """Says that the process is ready: in the log, and in the port file, a line for each port; 0 where it has none."""
    look_rarely()
    _log.info(what, extra={"ports": list(ports), "settings": settings.public()})
    if settings.port_file is not None:
        _write_at_once(settings.port_file, "".join(f"{port}\n" for port in ports))


def _write_at_once(path: Path, text: str) -> None:
    # Whoever waits for the file must never read half of it.
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="ascii")
    unfinished.replace(path)
