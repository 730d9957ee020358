"""A gRPC door without one of the cache's safeguards, for control runs; nothing but this entry switches one off."""

import argparse
import asyncio
import signal
from dataclasses import fields

import uvloop

from core.cache import Safeguards
from core.clock import SystemClock
from core.settings import Settings
from core.telemetry import configure_logging
from server.assembly import assembled


def main() -> None:
    """Serves until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.property.cache_door", description=__doc__)
    parser.add_argument("--without", choices=[field.name for field in fields(Safeguards)], action="append", default=[])
    chosen = parser.parse_args()
    settings = Settings.load()
    configure_logging("server", settings.log_level)
    uvloop.run(_serve(settings, Safeguards(**dict.fromkeys(chosen.without, False))))


async def _serve(settings: Settings, safeguards: Safeguards) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with assembled(settings=settings, clock=SystemClock(), safeguards=safeguards) as door:
        port = await door.open()
        assert settings.port_file is not None
        settings.port_file.write_text(f"{port}\n", encoding="ascii")
        await stopping.wait()
        await door.close()


if __name__ == "__main__":
    main()
