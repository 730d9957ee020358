"""The door for who watches a process: /metrics for Prometheus, /healthz (it lives), /readyz (calls may come)."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, make_asgi_app

from core.clock import Clock
from core.health import LoopLag, Readiness, Report
from core.listener import Listener, ListenError
from core.metrics import loop_lag
from core.settings import Settings

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 1.0

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class App:
    """Answers three addresses; nothing else is here, and nothing here changes anything."""

    def __init__(self, *, registry: CollectorRegistry, lag: LoopLag, readiness: Readiness) -> None:
        self._metrics = make_asgi_app(registry)
        self._lag = lag
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP call."""
        match scope["method"], scope["path"]:
            case "GET" | "HEAD", "/metrics":
                await self._metrics(scope, receive, send)
            case "GET" | "HEAD", "/healthz":
                status = HTTPStatus.OK if self._lag.is_alive else HTTPStatus.SERVICE_UNAVAILABLE
                await _reply(send, status, {"loop_lag_seconds": round(self._lag.seconds, 3)})
            case "GET" | "HEAD", "/readyz":
                report = await self._readiness.look()
                status = HTTPStatus.OK if report.is_ready else HTTPStatus.SERVICE_UNAVAILABLE
                await _reply(send, status, _words(report))
            case _, ("/metrics" | "/healthz" | "/readyz"):
                await _reply(send, HTTPStatus.METHOD_NOT_ALLOWED, {})
            case _:
                await _reply(send, HTTPStatus.NOT_FOUND, {})


@asynccontextmanager
async def watched(
    *, settings: Settings, clock: Clock, registry: CollectorRegistry, readiness: Readiness
) -> AsyncIterator[None]:
    """Lets others watch this process inside the block, where a port is set; raises ListenError when it is taken."""
    if settings.metrics_port is None:
        yield
        return
    async with LoopLag(clock=clock, observe=loop_lag(registry)) as lag:
        app = App(registry=registry, lag=lag, readiness=readiness)
        listener = Listener(
            app=app, host=settings.metrics_host, port=settings.metrics_port, grace_seconds=_GRACE_SECONDS
        )
        try:
            port = await listener.open()
        except ListenError as error:
            raise ListenError(f"{error} (CHAPPE_METRICS_HOST, CHAPPE_METRICS_PORT)") from error
        _log.info("metrics are shown", extra={"port": port})
        try:
            yield
        finally:
            await listener.close()


def _words(report: Report) -> dict[str, object]:
    state = "draining" if report.draining else "ready" if report.is_ready else "not ready"
    return {"state": state, "missing": report.missing, "degraded": report.degraded}


async def _reply(send: Send, status: HTTPStatus, said: Mapping[str, object]) -> None:
    body = orjson.dumps(said) + b"\n"
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
