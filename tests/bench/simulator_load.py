"""Measures the simulator alone: accepts a second, statuses a second, and its CPU per message, receipts included."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import uvloop

from simulator.seed import demo_seed

NUMBER: Final = "100000000000002"
TOKEN: Final = "bench-access-token"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Returns the user and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Returns the memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Receiver(asyncio.Protocol):
    """Answers every POST with 200 and counts the statuses in it; it reads just enough HTTP for that."""

    statuses = 0
    posts = 0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            Receiver.posts += 1
            Receiver.statuses += body.count(b'"status":"')
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")  # type: ignore[attr-defined]


def request_for(index: int) -> bytes:
    """Returns the bytes of one send, to a recipient of its own."""
    body = json.dumps(
        {
            "messaging_product": "whatsapp",
            "to": f"+4915{index:07d}0000",
            "type": "template",
            "template": {
                "name": "spring_sale",
                "language": {"code": "en_US"},
                "components": [
                    {"type": "body", "parameters": [{"type": "text", "text": "Ann"}, {"type": "text", "text": "25%"}]}
                ],
            },
            "biz_opaque_callback_data": f"0197f3a0-0000-7000-8000-{index:012d}.1",
        }
    ).encode()
    head = (
        f"POST /v25.0/{NUMBER}/messages HTTP/1.1\r\nhost: simulator\r\nauthorization: Bearer {TOKEN}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send_all(port: int, count: int, rate: float, connections: int) -> int:
    """Sends at a steady rate over several connections; returns how many were accepted."""
    accepted = 0
    started = time.monotonic()
    indexes = iter(range(count))

    async def connection() -> None:
        nonlocal accepted
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for index in indexes:
            if rate and (wait := started + index / rate - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            writer.write(request_for(index))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            accepted += head.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return accepted


async def run(arguments: argparse.Namespace) -> None:
    """Starts the simulator, loads it, and prints the figures."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    hook = server.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        process, port = await start_simulator(Path(folder), hook)
        try:
            await measure(arguments, process.pid, port)
        finally:
            process.terminate()
            await process.wait()
    server.close()


async def start_simulator(folder: Path, hook: int) -> tuple[asyncio.subprocess.Process, int]:
    """Starts the simulator with an unlimited number and returns it with its port."""
    seed = demo_seed()
    for number in seed["wabas"][0]["phone_numbers"]:
        number["throughput"] = 1_000_000
    seed_file, port_file = folder / "seed.json", folder / "port"
    seed_file.write_text(json.dumps(seed), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--port", "0", "--port-file", str(port_file), "--profile", "fast"),
        *("--seed-file", str(seed_file), "--access-token", TOKEN, "--webhook-url", f"http://127.0.0.1:{hook}/"),
    )
    while not port_file.exists():
        await asyncio.sleep(0.02)
    return process, int(port_file.read_text(encoding="ascii"))


async def measure(arguments: argparse.Namespace, pid: int, port: int) -> None:
    """Sends, waits for all statuses, and prints."""
    cpu, memory, started = cpu_seconds(pid), resident_bytes(pid), time.monotonic()
    accepted = await send_all(port, arguments.messages, arguments.rate, arguments.connections)
    sending = time.monotonic() - started
    deadline = time.monotonic() + 60
    while Receiver.statuses < 3 * accepted and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    total = time.monotonic() - started
    used = cpu_seconds(pid) - cpu
    print(f"accepted            {accepted} of {arguments.messages} in {sending:.2f} s: {accepted / sending:.0f}/s")
    print(f"statuses            {Receiver.statuses} in {total:.2f} s: {Receiver.statuses / total:.0f}/s")
    print(f"webhook POSTs       {Receiver.posts} ({Receiver.statuses / max(1, Receiver.posts):.1f} statuses each)")
    print(f"CPU of the simulator {used:.2f} s: {used / max(1, accepted) * 1000:.3f} ms per message with its receipts")
    print(f"memory              {(resident_bytes(pid) - memory) / max(1, accepted):.0f} bytes per accepted message")


def main() -> None:
    """Reads the flags and runs."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("--messages", type=int, default=20_000)
    command.add_argument("--rate", type=float, default=0.0, help="sends a second, 0 for as fast as it goes")
    command.add_argument("--connections", type=int, default=32)
    uvloop.run(run(command.parse_args()))


if __name__ == "__main__":
    main()
