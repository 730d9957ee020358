"""Simulator, the whole: one world behind one HTTP server, started and stopped together."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from simulator import control, graph
from simulator.http import Request, Response
from simulator.http_server import HttpServer
from simulator.state import World

_CONTROL: Final = "_sim"


class Simulator:
    """Serves the Graph API and, under `/_sim`, the control API of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = 0
        self._server = HttpServer(self._handle)

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> int:
        """Starts to serve and returns the bound port."""
        self.port = await self._server.start(host, port)
        return self.port

    async def stop(self) -> None:
        """Stops serving; deliveries in flight are cut, as their repetition is the receiver's business anyway."""
        await self._server.stop()
        await self.world.stop()

    def _handle(self, request: Request) -> Response | Awaitable[Response]:
        parts = request.path.strip("/").split("/")
        if parts[0] == _CONTROL:
            return control.answer(self.world, request, "/".join(parts[1:]))
        return graph.answer(self.world, request, parts)
