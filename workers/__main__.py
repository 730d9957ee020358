"""Starts a worker and brings it to its end on SIGTERM or Ctrl-C: what is on the wire is settled first."""

import logging
import sys
from contextlib import AsyncExitStack

import uvloop

from core.clock import SystemClock
from core.domain.errors import Unavailable
from core.listener import ListenError
from core.memory import look_rarely
from core.ready_file import write_at_once
from core.settings import Settings, SettingsError
from core.stopping import stop_signal, unless
from core.telemetry import configure_logging
from workers.assembly import assembled

_log = logging.getLogger(__name__)


def main() -> None:
    """Works until told to stop; exits with one line when it cannot start."""
    try:
        settings = Settings.load()
        configure_logging("worker", settings.log_level)
        # Taskiq says of every ring what we say of the work itself.
        logging.getLogger("taskiq").setLevel(logging.WARNING)
        uvloop.run(_work(settings))
    except (ListenError, SettingsError, Unavailable) as error:
        sys.exit(f"chappe worker: {error}")


async def _work(settings: Settings) -> None:
    stopping = stop_signal()
    async with AsyncExitStack() as held:
        starting = held.enter_async_context(assembled(settings=settings, clock=SystemClock(), stopping=stopping))
        worker = await unless(stopping, starting)
        if worker is not None:
            _announce(settings)
            await worker.run()
    _log.info("stopped")


def _announce(settings: Settings) -> None:
    """Says that it works: in the log, and in the port file, where others write their port; a worker has none."""
    _log.info("working", extra={"settings": settings.public()})
    look_rarely()
    if settings.port_file is not None:
        write_at_once(settings.port_file, "0\n")


if __name__ == "__main__":
    main()
