"""Starts the gRPC door, in this process or in several, and closes it on SIGTERM or Ctrl-C."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext, suppress

import uvloop

from core.clock import SystemClock
from core.memory import look_rarely
from core.ready_file import write_at_once
from core.settings import Settings, SettingsError
from core.stopping import stop_signal, unless
from core.telemetry import configure_logging
from server.assembly import assembled
from server.door import StartError
from server.group import bound_ports, members, own_ports, shared_port, watch
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
    stopping = stop_signal()
    if member is not None:
        _stop_at_the_end_of(sys.stdin.fileno(), stopping)
    async with AsyncExitStack() as held:
        port = await unless(stopping, _open(held, settings, shares_port=shares_port))
        if port is not None and member is not None:
            _tell(member, port)
        await stopping.wait()


def _tell(descriptor: int, port: int) -> None:
    """Says on which port this process serves, to whoever started it."""
    with suppress(BrokenPipeError):  # it is gone, and so are we in a moment
        os.write(descriptor, b"%d\n" % port)
    os.close(descriptor)


async def _open(held: AsyncExitStack, settings: Settings, *, shares_port: bool) -> int:
    """Opens a door, to be closed with what is held, and returns its port."""
    door = await held.enter_async_context(assembled(settings=settings, clock=SystemClock(), shares_port=shares_port))
    held.push_async_callback(door.close)  # first: what was half open when a stop was asked for is closed, too
    port = await door.open()
    look_rarely()
    _announce(settings, [port])
    return port


async def _serve_group(settings: Settings, ports: AbstractContextManager[Sequence[int]]) -> None:
    stopping = stop_signal()
    with ports as numbers:
        async with members(settings, numbers) as group:
            bound = await unless(stopping, bound_ports(group))
            if bound is not None:
                _announce(settings, sorted(set(bound)))
                await unless(stopping, watch(group))


def _stop_at_the_end_of(descriptor: int, stopping: asyncio.Event) -> None:
    """Has us stop once whoever holds the other end is gone; nothing is ever written there."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(descriptor)  # what is at its end stays readable: it would call us in every round
        stopping.set()

    loop.add_reader(descriptor, end)


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
