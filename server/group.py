"""Several server processes: behind one port, where the kernel deals out the connections, or each on a port of its own.

This process watches over them.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from core.settings import Settings
from server.door import StartError

_log = logging.getLogger(__name__)
# After the grace of the settings no call is left: what a member may still wait for is servers that are silent.
_LEAVE_SECONDS = 5.0

_Process = asyncio.subprocess.Process


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Is a process that serves, and its port."""

    process: _Process
    port: int


@contextmanager
def shared_port(settings: Settings, count: int) -> Iterator[list[int]]:
    """Holds one port for so many members without listening on it; a setting of 0 takes a free one."""
    family = socket.AF_INET6 if ":" in settings.grpc_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((settings.grpc_host.strip("[]"), settings.grpc_port))
        except OSError as error:
            raise StartError(f"cannot listen on {settings.grpc_host}:{settings.grpc_port}") from error
        yield [int(holder.getsockname()[1])] * count


def own_ports(settings: Settings, count: int) -> list[int]:
    """Returns a port for each of so many members, counted up from that of the settings; 0 has each take a free one."""
    first = settings.grpc_port
    return [first + number if first else 0 for number in range(count)]


@asynccontextmanager
async def members(settings: Settings, ports: Sequence[int]) -> AsyncIterator[list[Member]]:
    """Starts a process for each port, and waits until all serve; at the end they are told to stop and waited for.

    A port given more than once is shared. Each is watched on a port of its own, counted up from that of the settings.
    What does not stop in time is killed.
    """
    started: list[_Process] = []
    are_shared = len(set(ports)) < len(ports) and ports[0] != 0
    try:
        with ExitStack() as held:
            waiting: list[int] = []
            for number, port in enumerate(ports):
                watched_on = settings.metrics_port and settings.metrics_port + number  # 0 takes a free one anyway
                with _pipe(held) as (says, ready):
                    started.append(await _start(ready, port=port, metrics_port=watched_on, shares_port=are_shared))
                waiting.append(says)
            bound = [await _bound_port(says) for says in waiting]
        yield [Member(process=process, port=port) for process, port in zip(started, bound, strict=True)]
    finally:
        await _stop(started, within_seconds=settings.stop_grace_seconds + _LEAVE_SECONDS)


async def _stop(group: Sequence[_Process], *, within_seconds: float) -> None:
    """Tells all to stop, and returns once none is left."""
    for process in group:
        if process.returncode is None:
            process.terminate()
    await asyncio.gather(*(_see_end(process, within_seconds) for process in group))


async def _see_end(process: _Process, seconds: float) -> None:
    """Waits until a process that was told to stop has ended, and kills it after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        _log.warning("a process did not stop in time: it is killed", extra={"pid": process.pid, "seconds": seconds})
        process.kill()
        await process.wait()


@contextmanager
def _pipe(held: ExitStack) -> Iterator[tuple[int, int]]:
    """Makes a pipe: its end to read is closed with what is held, that to write once a member has it."""
    says, ready = os.pipe()
    held.callback(os.close, says)
    try:
        yield says, ready
    finally:
        os.close(ready)


async def _bound_port(says: int) -> int:
    """Waits until a member serves, and returns where."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(says, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(says)
    told = os.read(says, 8)
    if not told:
        raise StartError("a process of the group did not start")
    return int(told)


async def first_to_end(group: Sequence[Member]) -> None:
    """Waits until one of the processes ends: the group is then one short, and whoever started it should know."""
    waits = [asyncio.ensure_future(member.process.wait()) for member in group]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _start(ready: int, *, port: int, metrics_port: int | None, shares_port: bool) -> _Process:
    settings = {name: value for name, value in os.environ.items() if name != "CHAPPE_PORT_FILE"}
    if metrics_port is not None:
        settings["CHAPPE_METRICS_PORT"] = str(metrics_port)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        "--member",
        str(ready),
        *(("--shares-port",) if shares_port else ()),
        env={**settings, "CHAPPE_GRPC_PORT": str(port)},
        stdin=asyncio.subprocess.PIPE,  # its end tells a member that this process is gone, however it went
        pass_fds=[ready],
    )
