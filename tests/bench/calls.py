"""Makes the same unary call over and over: by h2load where it is installed, else by processes of our own."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc

from core.clock import SystemClock

CLOCK = SystemClock()
_CONNECTIONS, _STREAMS = 16, 2
OPEN_CALLS: Final = _CONNECTIONS * _STREAMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Says what is called and how: so many calls over so many connections with so many calls open on each."""

    method: str
    request: bytes
    key: str
    calls: int
    connections: int = _CONNECTIONS
    streams: int = _STREAMS


def calls_per_second(load: Load, port: int) -> float:
    """Makes the calls and returns how many a second were answered; raises RuntimeError when one failed."""
    return _by_h2load(load, port) if shutil.which("h2load") else _by_ourselves(load, port)


def _by_h2load(load: Load, port: int) -> float:
    with tempfile.NamedTemporaryFile() as data:
        data.write(b"\0" + len(load.request).to_bytes(4, "big") + load.request)
        data.flush()
        headers = {"te": "trailers", "content-type": "application/grpc", "authorization": f"Bearer {load.key}"}
        arguments = ["-c", str(load.connections), "-m", str(load.streams), "-d", data.name]
        arguments += [part for pair in headers.items() for part in ("-H", ": ".join(pair))]
        return rate_by_h2load(*arguments, f"http://127.0.0.1:{port}{load.method}", calls=load.calls)


def rate_by_h2load(*arguments: str, calls: int) -> float:
    """Lets h2load make the calls and returns how many a second were answered; raises RuntimeError when one failed."""
    command = ("h2load", "-n", str(calls), *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r"finished in .*?, ([\d.]+) req/s", done.stdout)
    if found is None or f"{calls} succeeded" not in done.stdout:
        raise RuntimeError(done.stdout)
    return float(found[1])


def _by_ourselves(load: Load, port: int) -> float:
    processes = 2
    with ProcessPoolExecutor(processes) as pool:
        return sum(pool.map(_client, [(load, port, load.calls // processes)] * processes))


def _client(work: tuple[Load, int, int]) -> float:
    load, port, calls = work
    return asyncio.run(_call(load, port, calls))


async def _call(load: Load, port: int, calls: int) -> float:
    metadata = (("authorization", f"Bearer {load.key}"),)
    remaining = iter(range(calls))

    async def keep_calling(channel: grpc.aio.Channel) -> None:
        ask: Any = channel.unary_unary(load.method)
        for _ in remaining:
            await ask(load.request, metadata=metadata)

    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) for _ in range(load.connections)]
    begun = CLOCK.monotonic()
    await asyncio.gather(*(keep_calling(channel) for channel in channels for _ in range(load.streams)))
    seconds = CLOCK.monotonic() - begun
    for channel in channels:
        await channel.close()
    return calls / seconds


def reply_of(load: Load, port: int) -> bytes:
    """Makes the call once and returns the bytes of its reply."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        reply: bytes = channel.unary_unary(load.method)(
            load.request, metadata=(("authorization", f"Bearer {load.key}"),), timeout=10
        )
    return reply


def write_reply(load: Load, port: int, directory: Path) -> Path:
    """Keeps the reply in a file and returns its path."""
    path = directory / "reply.bin"
    path.write_bytes(reply_of(load, port))
    return path
