"""Starts the webhook door and closes it on SIGTERM or Ctrl-C."""

import asyncio
import logging
import signal
import sys

import uvloop

from core.domain.errors import Unavailable
from core.memory import look_rarely
from core.ready_file import write_at_once
from core.settings import Settings, SettingsError
from core.telemetry import configure_logging
from server.webhooks.door import DoorError, assembled

_log = logging.getLogger(__name__)


def main() -> None:
    """Takes webhooks until told to stop; exits with one line when it cannot start."""
    try:
        settings = Settings.load()
        configure_logging("webhooks", settings.log_level)
        uvloop.run(_serve(settings))
    except (DoorError, SettingsError, Unavailable) as error:
        sys.exit(f"chappe webhooks: {error}")
    except OSError as error:
        sys.exit(f"chappe webhooks: something it stands on is away ({type(error).__name__})")


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with assembled(settings=settings) as door:
        port = await door.open()
        _log.info("taking webhooks", extra={"port": port, "settings": settings.public()})
        look_rarely()
        if settings.port_file is not None:
            write_at_once(settings.port_file, f"{port}\n")
        await stopping.wait()
        await door.close()
    _log.info("the webhook door is closed")


if __name__ == "__main__":
    main()
