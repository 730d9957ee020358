"""A worker without one of its safeguards, for control runs; nothing but this entry switches one off."""

import argparse
import asyncio
import signal
from dataclasses import fields

import uvloop

from core.clock import SystemClock
from core.settings import Settings
from core.telemetry import configure_logging
from workers.assembly import assembled
from workers.engine import Safeguards


def main() -> None:
    """Works until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.worker", description=__doc__)
    parser.add_argument("--without", choices=[field.name for field in fields(Safeguards)], required=True)
    chosen = parser.parse_args()
    settings = Settings.load()
    configure_logging("worker", settings.log_level)
    uvloop.run(_work(settings, Safeguards(**{chosen.without: False})))


async def _work(settings: Settings, safeguards: Safeguards) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with assembled(settings=settings, clock=SystemClock(), stopping=stopping, safeguards=safeguards) as worker:
        assert settings.port_file is not None
        settings.port_file.write_text("0\n", encoding="ascii")
        await worker.run()


if __name__ == "__main__":
    main()
