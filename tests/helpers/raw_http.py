"""An HTTP server that says exactly the bytes it is told, and counts the requests that reached it whole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class RawServer:
    """Does one act per request, the last one for all that come later; `requests` are the bodies it read whole."""

    acts: list[Act]
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connection_count: int = 0
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads requests of one connection until either side closes it."""
        self.connection_count += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                body = await _read(reader)
                act = self.acts[min(len(self.requests), len(self.acts) - 1)]
                self.requests.append(body)
                await act(reader, writer)
        writer.close()


@asynccontextmanager
async def raw_server(*acts: Act) -> AsyncIterator[RawServer]:
    """Yields a server that acts so, one act per request."""
    made = RawServer(acts=list(acts))
    running = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        made.closing.set()
        running.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


def say(*parts: bytes, close: bool = False, reset: bool = False) -> Act:
    """Writes these bytes, part by part; then closes the connection, or resets it."""

    async def act(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if reset:
            writer.transport.abort()
        elif close:
            writer.close()

    return act


def answer(status: str, body: bytes, *headers: str, version: str = "HTTP/1.1", close: bool = False) -> Act:
    """Answers as a decent server would: status such as `200 OK`, extra header lines without their ends."""
    lines = [f"{version} {status}", f"content-length: {len(body)}", *headers, "", ""]
    return say("\r\n".join(lines).encode() + body, close=close)


def chunked(body: bytes, *, size: int = 7, end: bytes = b"0\r\n\r\n", close: bool = False) -> Act:
    """Answers 200 in chunks of so many bytes."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    framed = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    return say(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *framed, end, close=close)
