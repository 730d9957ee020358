"""The open webhook door: HTTP in front, the database and the bell behind, closed without cutting a call off."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

import uvicorn

from core.db import Database
from core.repositories.rooms import Store
from core.settings import Settings
from core.wakeups import Wakeups
from server.webhooks.app import App
from server.webhooks.heartbeat import Heartbeat
from server.webhooks.intake import Intake
from server.webhooks.signature import app_secrets

_log = logging.getLogger(__name__)


class DoorError(Exception):
    """Says in one line what keeps the door from opening."""


class Door:
    """Listens from ``open`` to ``close``."""

    def __init__(self, *, app: App, settings: Settings) -> None:
        self._settings = settings
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
                timeout_graceful_shutdown=max(1, round(settings.stop_grace_seconds)),
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> int:
        """Starts listening and returns the port; raises DoorError when it is taken."""
        listener = self._listen()
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        return cast("int", listener.getsockname()[1])

    async def close(self) -> None:
        """Takes no more calls, and lets those that came end."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)

    def _listen(self) -> socket.socket:
        address = (self._settings.webhooks_host, self._settings.webhooks_port)
        try:
            return socket.create_server(address, backlog=2048)
        except OSError as error:
            raise DoorError(f"cannot listen on port {address[1]} ({error.strerror})") from None


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@asynccontextmanager
async def assembled(*, settings: Settings) -> AsyncIterator[Door]:
    """Yields a door whose database and bell are connected, and closes them; the door itself is yet to be opened."""
    secrets = app_secrets(settings.whatsapp_app_secret.get_secret_value())
    if not secrets:
        _log.warning("CHAPPE_WHATSAPP_APP_SECRET is not set: every webhook is refused")
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database(
                url=settings.database_url,
                pool_size=min(4, settings.database_pool_size),
                application_name="chappe-webhooks",
            )
        )
        wakeups = Wakeups.connect(settings.queue_url)
        stack.push_async_callback(wakeups.close)
        store = Store(database)
        intake = await stack.enter_async_context(Intake(store=store, wakeups=wakeups))
        heartbeat = await stack.enter_async_context(Heartbeat(store=store))
        app = App(
            intake=intake,
            heartbeat=heartbeat,
            secrets=secrets,
            verify_token=settings.whatsapp_verify_token.get_secret_value(),
        )
        yield Door(app=app, settings=settings)
