"""Several server processes: behind one port, where the kernel deals out the connections, or each on a port of its own.

This process watches over them.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NoReturn

from core.settings import Settings
from server.door import StartError

_log = logging.getLogger(__name__)
# After the grace of the settings no call is left: what a member may still wait for is servers that are silent.
_LEAVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Is a process of a group, by which of them people know it, and where it says on which port it serves."""

    name: str
    process: asyncio.subprocess.Process
    says: int

    async def end(self) -> str:
        """Waits until it has ended, and returns how: `exit code 1`, or the signal that ended it, such as `SIGKILL`."""
        code = await self.process.wait()
        return _signal_name(-code) if code < 0 else f"exit code {code}"


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
    """Starts a process for each port; at the end they are told to stop and waited for, and killed if need be.

    A port given more than once is shared. Each is watched on a port of its own, counted up from that of the settings.
    """
    are_shared = len(set(ports)) < len(ports) and ports[0] != 0
    group: list[Member] = []
    with ExitStack() as held:
        try:
            for number, port in enumerate(ports):
                watched_on = settings.metrics_port and settings.metrics_port + number  # 0 takes a free one anyway
                with _pipe(held) as (says, ready):
                    process = await _start(ready, port=port, metrics_port=watched_on, shares_port=are_shared)
                group.append(Member(name=f"process {number + 1} of {len(ports)}", process=process, says=says))
            yield group
        finally:
            await _stop(group, within_seconds=settings.stop_grace_seconds + _LEAVE_SECONDS)


@contextmanager
def _pipe(held: ExitStack) -> Iterator[tuple[int, int]]:
    """Makes a pipe: its end to read is closed with what is held, that to write once a member has it."""
    says, ready = os.pipe()
    held.callback(os.close, says)
    try:
        yield says, ready
    finally:
        os.close(ready)


async def _stop(group: Sequence[Member], *, within_seconds: float) -> None:
    """Tells all to stop, and returns once none is left."""
    for member in group:
        if member.process.returncode is None:
            member.process.terminate()
    await asyncio.gather(*(_see_end(member, within_seconds) for member in group))


async def _see_end(member: Member, seconds: float) -> None:
    """Waits until a process that was told to stop has ended, and kills it after so many seconds."""
    process = member.process
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        facts = {"member": member.name, "pid": process.pid, "seconds": seconds}
        _log.warning("a process did not stop in time: it is killed", extra=facts)
        process.kill()
        await process.wait()


async def bound_ports(group: Sequence[Member]) -> list[int]:
    """Waits until all serve, and returns where; raises StartError as soon as one of them has ended instead."""
    asked = [asyncio.ensure_future(_bound_port(member)) for member in group]
    try:
        return await asyncio.gather(*asked)
    finally:
        for each in asked:
            each.cancel()
        await asyncio.wait(asked)


async def _bound_port(member: Member) -> int:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(member.says, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(member.says)
    told = os.read(member.says, 8)
    if not told:
        raise StartError(f"{member.name} did not start ({await member.end()}); all were stopped")
    return int(told)


async def watch(group: Sequence[Member]) -> NoReturn:
    """Raises StartError as soon as one ends by itself: who started the group should know that it is one short."""
    ends = {asyncio.ensure_future(member.end()): member for member in group}
    try:
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
    end = done.pop()
    raise StartError(f"{ends[end].name} ended by itself ({end.result()}); all were stopped")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of those in real time has no name
        return f"signal {number}"


async def _start(ready: int, *, port: int, metrics_port: int | None, shares_port: bool) -> asyncio.subprocess.Process:
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
