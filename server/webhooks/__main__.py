"""Starts the webhook door and closes it on SIGTERM or Ctrl-C."""

import logging
import sys
from contextlib import AsyncExitStack

import uvloop

from core.domain.errors import Unavailable
from core.memory import look_rarely
from core.ready_file import write_at_once
from core.settings import Settings, SettingsError
from core.stopping import stop_signal, unless
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
    stopping = stop_signal()
    async with AsyncExitStack() as held:
        await unless(stopping, _open(held, settings))
        await stopping.wait()
    _log.info("the webhook door is closed")


async def _open(held: AsyncExitStack, settings: Settings) -> None:
    """Opens a door, to be closed with what is held, and says so."""
    door = await held.enter_async_context(assembled(settings=settings))
    held.push_async_callback(door.close)  # first: what was half open when a stop was asked for is closed, too
    port = await door.open()
    _log.info("taking webhooks", extra={"port": port, "settings": settings.public()})
    look_rarely()
    if settings.port_file is not None:
        write_at_once(settings.port_file, f"{port}\n")


if __name__ == "__main__":
    main()
