"""Starts the gRPC door, in this process or in several, and closes it on SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import uvloop

from core.clock import SystemClock
from core.memory import look_rarely
from core.ready_file import write_at_once
from core.settings import Settings, SettingsError
from core.telemetry import configure_logging
from server.assembly import assembled
from server.door import StartError
from server.group import first_to_end, members, own_ports, shared_port
from server.policies import PolicyError

_log = logging.getLogger(__name__)


def main(
    *, processes: int = 1, ports_apart: bool = False, member: int | None = None, shares_port: bool = False
) -> None:
    """Serves until told to stop; exits with one line when it cannot start.

    ``member`` is the file descriptor on which a process of a group says on which port it serves.
    """
    try:
        settings = Settings.load()
        configure_logging("server", settings.log_level)
        if processes > 1:
            ports = nullcontext(own_ports(settings, processes)) if ports_apart else shared_port(settings, processes)
            uvloop.run(_serve_group(settings, ports))
        else:
            uvloop.run(_serve(settings, member=member, shares_port=shares_port))
    except (StartError, SettingsError, PolicyError) as error:
        sys.exit(f"chappe serve: {error}")


async def _serve(settings: Settings, *, member: int | None, shares_port: bool) -> None:
    stopping = _stop_signal()
    if member is not None:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stopping.set)  # readable at its end
    async with assembled(settings=settings, clock=SystemClock(), shares_port=shares_port) as door:
        port = await door.open()
        look_rarely()
        _announce(settings, [port])
        if member is not None:
            os.write(member, b"%d\n" % port)
            os.close(member)
        await stopping.wait()
        await door.close()


async def _serve_group(settings: Settings, ports: AbstractContextManager[Sequence[int]]) -> None:
    stopping = asyncio.ensure_future(_stop_signal().wait())
    with ports as held:
        async with members(held, metrics_port=settings.metrics_port) as group:
            _announce(settings, sorted({member.port for member in group}))
            ending = asyncio.ensure_future(first_to_end(group))
            await asyncio.wait([stopping, ending], return_when=asyncio.FIRST_COMPLETED)
            ending.cancel()
    if not stopping.done():
        stopping.cancel()
        raise StartError("a process of the group ended by itself; all were stopped")


def _stop_signal() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _announce(settings: Settings, ports: Sequence[int]) -> None:
    """Says that calls are taken: in the log, and in the port file, a line for each port."""
    _log.info("serving", extra={"ports": list(ports), "settings": settings.public()})
    if settings.port_file is not None:
        write_at_once(settings.port_file, "".join(f"{port}\n" for port in ports))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m server")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--ports-apart", action="store_true")
    parser.add_argument("--shares-port", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--member", type=int, help=argparse.SUPPRESS)
    main(**vars(parser.parse_args()))
