"""Simulator, the HTTP door: a small HTTP/1.1 server on httptools that can also misbehave on purpose."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Final, cast

import httptools

from simulator.http import ANSWER, CLOSE, RESET, Request, Response, head_of

MAX_BODY_BYTES: Final = 110 * 1024 * 1024
_MAX_HEAD_BYTES: Final = 64 * 1024
_MOST_WAITING: Final = 100
_MOST_DIGITS: Final = 12

_log = logging.getLogger("simulator.http")
_NO_LINGER: Final = struct.pack("ii", 1, 0)

Handler = Callable[[Request], Response | Awaitable[Response]]


class HttpConnection(asyncio.Protocol):
    """One client connection; requests are answered in the order they came."""

    def __init__(self, handler: Handler, connections: set[HttpConnection]) -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._keep_alive = True
        self._refused = False
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._start()

    def _start(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._head_size = 0

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers the connection, so that a stop can close it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is not a subclass
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection and what was still waiting on it."""
        self._transport = None
        self._waiting.clear()
        self._writable.set()
        self._connections.discard(self)

    def pause_writing(self) -> None:
        """Stops a stream while the client does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Lets a stream go on."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; what is not HTTP is answered with 400, and an upgrade is not taken up."""
        if self._transport is None or self._transport.is_closing():
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._parser = httptools.HttpRequestParser(self)
            self.data_received(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._keep_alive = False
            self._write(_error(HTTPStatus.BAD_REQUEST, "Bad Request"))

    # the parser's side

    def on_url(self, url: bytes) -> None:
        """Collects the target."""
        self._url += url
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collects a header."""
        self._headers[name.lower()] = value
        self._count_head(len(name) + len(value))

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > _MAX_HEAD_BYTES:
            raise ValueError("the head of the request is too large")

    def on_headers_complete(self) -> None:
        """Refuses a body that says it is too large, and invites a large one when the client waits for that."""
        length = self._headers.get(b"content-length", b"0")
        if len(length) > _MOST_DIGITS or int(length) > MAX_BODY_BYTES:
            self._refuse_body()
        elif self._headers.get(b"expect", b"").lower() == b"100-continue" and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collects a piece of the body."""
        self._size += len(body)
        if self._size > MAX_BODY_BYTES:
            self._refuse_body()
        else:
            self._body.append(body)

    def _refuse_body(self) -> None:
        self._refused, self._keep_alive = True, False
        self._write(_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"))

    def on_message_complete(self) -> None:
        """Serves the request, or lets it wait for the one before."""
        path, _, query = self._url.partition(b"?")
        request = Request(
            method=self._parser.get_method().decode("ascii"),
            path=path.decode("latin-1"),
            query=query.decode("latin-1"),
            headers=self._headers,
            body=self._body[0] if len(self._body) == 1 else b"".join(self._body),
        )
        keep_alive = self._parser.should_keep_alive()
        self._start()
        if self._refused:
            return
        if self._busy:
            self._wait(request, keep_alive=keep_alive)
        else:
            self._serve(request, keep_alive=keep_alive)

    def _wait(self, request: Request, *, keep_alive: bool) -> None:
        self._waiting.append((request, keep_alive))
        if len(self._waiting) >= _MOST_WAITING and self._transport is not None:
            self._transport.pause_reading()

    # answering

    def _serve(self, request: Request, *, keep_alive: bool) -> None:
        self._busy = True
        self._keep_alive = keep_alive
        try:
            answer = self._handler(request)
        except Exception:
            _log.exception("a handler failed: %s %s", request.method, request.path)
            answer = _broken()
        if isinstance(answer, Response) and answer.chunks is None:
            self._finish(answer)
        else:
            self._task = asyncio.ensure_future(self._finish_later(answer))

    async def _finish_later(self, answer: Response | Awaitable[Response]) -> None:
        try:
            response = answer if isinstance(answer, Response) else await answer
        except Exception:
            _log.exception("a handler failed")
            response = _broken()
        if response.chunks is None:
            self._finish(response)
        else:
            await self._stream(response, response.chunks)
            self._next()

    def _finish(self, response: Response) -> None:
        if response.delay > 0:
            asyncio.get_running_loop().call_later(response.delay, self._end, response)
        else:
            self._end(response)

    def _end(self, response: Response) -> None:
        if response.ending == ANSWER:
            self._write(response)
            self._next()
        elif response.ending == CLOSE:
            self.close()
        elif response.ending == RESET:
            self._reset()
        # SILENCE: the connection stays open and busy until the client gives up

    def _next(self) -> None:
        self._busy = False
        if self._keep_alive and self._waiting:
            request, keep_alive = self._waiting.popleft()
            if not self._waiting and self._transport is not None:
                self._transport.resume_reading()
            self._serve(request, keep_alive=keep_alive)

    def _reset(self) -> None:
        if self._transport is None:
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def _write(self, response: Response) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        length = f"content-length: {len(response.body)}"
        self._transport.write(head_of(response, length, keep_alive=self._keep_alive) + response.body)
        if not self._keep_alive:
            self._transport.close()

    async def _stream(self, response: Response, chunks: Iterator[bytes]) -> None:
        if self._transport is not None:
            self._transport.write(head_of(response, "transfer-encoding: chunked", keep_alive=True))
        for chunk in chunks:
            await self._writable.wait()
            if self._transport is None:
                return
            self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            await asyncio.sleep(0)
        if self._transport is not None:
            self._transport.write(b"0\r\n\r\n")

    def close(self) -> None:
        """Closes the connection after what is already written."""
        if self._transport is not None:
            self._transport.close()


def _error(status: HTTPStatus, message: str) -> Response:
    return Response(status=status, body=b'{"error":{"message":"%b","code":1}}' % message.encode())


def _broken() -> Response:
    return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "The simulator itself failed")


class HttpServer:
    """Listens on one address and hands every request to one handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[HttpConnection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Starts to listen and returns the bound port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self._handler, self._connections), host, port, backlog=1024
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stops listening and closes every connection."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.close()
