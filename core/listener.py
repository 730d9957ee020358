"""An HTTP listener for an ASGI application, opened and closed by the process it lives in."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any, cast

import uvicorn


class ListenError(Exception):
    """Says in one line what keeps a listener from opening."""


class Listener:
    """Listens from ``open`` to ``close``."""

    def __init__(self, *, app: Any, host: str, port: int, grace_seconds: float) -> None:  # noqa: ANN401 - any ASGI app
        """Takes where to listen (port 0: a free one), and how long calls may take to end when it closes."""
        self._address = (host, port)
        self._server = _Server(
            uvicorn.Config(
                app,
                http="httptools",
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=max(1, round(grace_seconds)),
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Starts listening and returns the port; raises ListenError when it is taken."""
        try:
            listener = socket.create_server(self._address, backlog=2048)
        except OSError as error:
            raise ListenError(f"cannot listen on port {self._address[1]} ({error.strerror})") from None
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        return cast("int", listener.getsockname()[1])

    async def close(self) -> None:
        """Takes no more calls, and lets those that came end."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield
