"""The open webhook door: HTTP in front, the database and the bell behind, closed without cutting a call off."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry

from core.clock import SystemClock
from core.db import Database
from core.health import Readiness
from core.listener import Listener
from core.metrics import PoolCollector, WebhookMetrics
from core.metrics_door import watched
from core.migrate import at_head
from core.queue.wakeups import Wakeups
from core.repositories.rooms import Store
from core.settings import Settings
from server.webhooks.app import App
from server.webhooks.heartbeat import Heartbeat
from server.webhooks.intake import Intake
from server.webhooks.signature import app_secrets

_log = logging.getLogger(__name__)


class Door:
    """Listens from ``open`` to ``close``."""

    def __init__(self, *, app: App, settings: Settings) -> None:
        self._listener = Listener(
            app=app,
            host=settings.webhooks_host,
            port=settings.webhooks_port,
            grace_seconds=settings.stop_grace_seconds,
        )
        self.is_closing = False

    async def open(self) -> int:
        """Starts listening and returns the port; raises ListenError when it is taken."""
        return await self._listener.open()

    async def close(self) -> None:
        """Takes no more calls, and lets those that came end."""
        self.is_closing = True
        await self._listener.close()


@asynccontextmanager
async def assembled(*, settings: Settings) -> AsyncIterator[Door]:
    """Yields a door whose database and bell are connected, and closes them; the door itself is yet to be opened.

    Raises ListenError when the port for who watches it is taken.
    """
    secrets = app_secrets(settings.whatsapp_app_secret.get_secret_value())
    if not secrets:
        _log.warning("CHAPPE_WHATSAPP_APP_SECRET is not set: every webhook is refused")
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database(
                url=settings.database_url,
                pool_size=min(4, settings.database_pool_size),
                application_name="chappe-webhooks",
            )
        )
        wakeups = Wakeups.connect(settings.queue_url, clock=clock)
        stack.push_async_callback(wakeups.close)
        store = Store(database)
        registry = CollectorRegistry()
        metrics = WebhookMetrics(registry)
        intake = await stack.enter_async_context(Intake(store=store, wakeups=wakeups, metrics=metrics))
        heartbeat = await stack.enter_async_context(Heartbeat(store=store))
        app = App(
            intake=intake,
            heartbeat=heartbeat,
            secrets=secrets,
            verify_token=settings.whatsapp_verify_token.get_secret_value(),
            metrics=metrics,
        )
        door = Door(app=app, settings=settings)
        registry.register(PoolCollector(database))
        readiness = Readiness(
            needed={"database": lambda: at_head(database)},
            wanted={"queue": wakeups.examine},
            is_draining=lambda: door.is_closing,
        )
        await stack.enter_async_context(watched(settings=settings, clock=clock, registry=registry, readiness=readiness))
        yield door
