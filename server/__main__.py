"""Starts the gRPC door, in this process or in several, and closes it on SIGTERM or Ctrl-C."""

import argparse
import asyncio
import os
import sys
from contextlib import nullcontext, suppress
from functools import partial

from core.clock import SystemClock
from core.listener import ListenError
from core.process import opened, run, say_ready
from core.settings import Settings
from core.stopping import entered, stop_signal, unless
from server.assembly import assembled
from server.door import StartError
from server.group import bound_ports, members, own_ports, shared_port, watch
from server.policies import PolicyError


def main(
    *, processes: int = 1, ports_apart: bool = False, member: int | None = None, shares_port: bool = False
) -> None:
    """Serves until told to stop; exits with one line when it cannot start.

    ``member`` is the file descriptor on which a process of a group says on which port it serves.
    """
    if processes > 1:
        work = partial(_serve_group, processes=processes, ports_apart=ports_apart)
    else:
        work = partial(_serve, member=member, shares_port=shares_port)
    run("serve", work, service="server", expected=(StartError, ListenError, PolicyError))


async def _serve(settings: Settings, *, member: int | None, shares_port: bool) -> None:
    stopping = stop_signal()
    if member is not None:
        _stop_at_the_end_of(sys.stdin.fileno(), stopping)
    door = assembled(settings=settings, clock=SystemClock(), shares_port=shares_port)
    async with entered(stopping, opened(door)) as port:
        if port is not None:
            say_ready(settings, "serving", [port])
            if member is not None:
                _tell(member, port)
            await stopping.wait()


def _tell(descriptor: int, port: int) -> None:
    """Says on which port this process serves, to whoever started it."""
    with suppress(BrokenPipeError):  # it is gone, and so are we in a moment
        os.write(descriptor, b"%d\n" % port)
    os.close(descriptor)


async def _serve_group(settings: Settings, *, processes: int, ports_apart: bool) -> None:
    stopping = stop_signal()
    with nullcontext(own_ports(settings, processes)) if ports_apart else shared_port(settings, processes) as ports:
        async with members(settings, ports) as group:
            bound = await unless(stopping, bound_ports(group))
            if bound is not None:
                say_ready(settings, "serving", sorted(set(bound)))
                await unless(stopping, watch(group))


def _stop_at_the_end_of(descriptor: int, stopping: asyncio.Event) -> None:
    """Has us stop once whoever holds the other end is gone; nothing is ever written there."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        loop.remove_reader(descriptor)  # what is at its end stays readable: it would call us in every round
        stopping.set()

    loop.add_reader(descriptor, end)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m server")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--ports-apart", action="store_true")
    parser.add_argument("--shares-port", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--member", type=int, help=argparse.SUPPRESS)
    main(**vars(parser.parse_args()))
