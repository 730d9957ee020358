"""Several server processes behind one port: the kernel deals out the connections, this process watches over them."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from core.settings import Settings
from server.door import StartError

_Member = asyncio.subprocess.Process


@contextmanager
def reserved_port(settings: Settings) -> Iterator[int]:
    """Holds the port for the members without listening on it; a setting of 0 takes a free one."""
    family = socket.AF_INET6 if ":" in settings.grpc_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind((settings.grpc_host.strip("[]"), settings.grpc_port))
        except OSError as error:
            raise StartError(f"cannot listen on {settings.grpc_host}:{settings.grpc_port}") from error
        yield int(holder.getsockname()[1])


@asynccontextmanager
async def members(count: int, *, port: int, metrics_port: int | None) -> AsyncIterator[list[_Member]]:
    """Starts the processes and waits until all serve; when the block ends they are told to stop and waited for.

    Each is watched on a port of its own, counted up from ``metrics_port``.
    """
    started: list[_Member] = []
    try:
        pipes = [os.pipe() for _ in range(count)]
        for number, (_, ready) in enumerate(pipes):
            watched_on = metrics_port and metrics_port + number  # 0 takes a free one anyway
            started.append(await _start(ready, port=port, metrics_port=watched_on))
            os.close(ready)
        for waiting, _ in pipes:
            if not await asyncio.to_thread(os.read, waiting, 1):
                raise StartError("a process of the group did not start")
            os.close(waiting)
        yield started
    finally:
        for member in started:
            if member.returncode is None:
                member.terminate()
        await asyncio.gather(*(member.wait() for member in started))


async def first_to_end(group: list[_Member]) -> None:
    """Waits until one of the processes ends: the group is then one short, and whoever started it should know."""
    waits = [asyncio.ensure_future(member.wait()) for member in group]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _start(ready: int, *, port: int, metrics_port: int | None) -> _Member:
    settings = {name: value for name, value in os.environ.items() if name != "CHAPPE_PORT_FILE"}
    if metrics_port is not None:
        settings["CHAPPE_METRICS_PORT"] = str(metrics_port)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server",
        "--member",
        str(ready),
        env={**settings, "CHAPPE_GRPC_PORT": str(port)},
        stdin=asyncio.subprocess.PIPE,  # its end tells a member that this process is gone, however it went
        pass_fds=[ready],
    )
