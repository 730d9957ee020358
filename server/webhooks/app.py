"""The webhook door as an ASGI application: handshake, signature on the raw bytes, durable before the 200."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from core.domain.errors import Unavailable
from core.metrics import WebhookMetrics
from server.webhooks.heartbeat import Heartbeat
from server.webhooks.intake import Intake
from server.webhooks.signature import is_signed, is_token

_log = logging.getLogger(__name__)

# WhatsApp promises bodies of at most 3 MB.
_LARGEST_BODY: Final = 3 * 2**20 + 64 * 2**10
_BODY_SECONDS: Final = 10.0

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Turned(Exception):
    """Turns a call away with an HTTP status and nothing else."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class App:
    """Answers WhatsApp; bodies and signatures appear in no log."""

    def __init__(
        self,
        *,
        intake: Intake,
        heartbeat: Heartbeat,
        secrets: Sequence[bytes],
        verify_token: str,
        metrics: WebhookMetrics,
    ) -> None:
        self._intake = intake
        self._heartbeat = heartbeat
        self._secrets = tuple(secrets)
        self._verify_token = verify_token
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one HTTP call."""
        if scope["type"] != "http":
            return
        status, text = await self._answer(scope, receive)
        self._metrics.answered(status)
        await _reply(send, status, text)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[HTTPStatus, str]:
        try:
            return HTTPStatus.OK, await self._serve(scope, receive)
        except Turned as turned:
            return turned.status, ""
        except Unavailable:
            return HTTPStatus.SERVICE_UNAVAILABLE, ""
        except TimeoutError:
            return HTTPStatus.REQUEST_TIMEOUT, ""
        except Exception as error:  # its text may hold what was sent
            _log.error("a webhook call failed", extra={"error": type(error).__name__})  # same
            return HTTPStatus.INTERNAL_SERVER_ERROR, ""

    async def _serve(self, scope: Scope, receive: Receive) -> str:
        match scope["method"], scope["path"]:
            case "GET", "/healthz":
                return self._health()
            case "GET", "/webhooks/whatsapp":
                return self._handshake(scope["query_string"])
            case "POST", "/webhooks/whatsapp":
                return await self._take(scope, receive)
            case _, ("/webhooks/whatsapp" | "/healthz"):
                raise Turned(HTTPStatus.METHOD_NOT_ALLOWED)
            case _:
                raise Turned(HTTPStatus.NOT_FOUND)

    def _health(self) -> str:
        if not self._heartbeat.is_heard:
            raise Turned(HTTPStatus.SERVICE_UNAVAILABLE)
        return "ok"

    def _handshake(self, query: bytes) -> str:
        """Answers the set-up of the webhook with its challenge."""
        try:
            given = parse_qs(query.decode("latin-1"), max_num_fields=20)
        except ValueError:
            raise Turned(HTTPStatus.FORBIDDEN) from None
        mode, token, challenge = (given.get(f"hub.{name}", [""])[0] for name in ("mode", "verify_token", "challenge"))
        if mode != "subscribe" or not is_token(token, self._verify_token):
            raise Turned(HTTPStatus.FORBIDDEN)
        return challenge

    async def _take(self, scope: Scope, receive: Receive) -> str:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        signature = headers.get(b"x-hub-signature-256")
        if signature is None:
            self._metrics.refused_signature()
            raise Turned(HTTPStatus.UNAUTHORIZED)
        async with asyncio.timeout(_BODY_SECONDS):
            body = await _read_body(receive, announced=headers.get(b"content-length", b"0"))
        if not is_signed(body, signature, secrets=self._secrets):
            self._metrics.refused_signature()
            raise Turned(HTTPStatus.FORBIDDEN)
        await self._intake.append(body)
        return ""


async def _read_body(receive: Receive, *, announced: bytes) -> bytes:
    """Reads the raw bytes; refuses what is larger than WhatsApp ever sends, if possible before reading it."""
    if announced.isdigit() and int(announced) > _LARGEST_BODY:
        raise Turned(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Turned(HTTPStatus.BAD_REQUEST)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > _LARGEST_BODY:
            raise Turned(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        more = message.get("more_body", False)
    return b"".join(parts)


async def _reply(send: Send, status: HTTPStatus, text: str) -> None:
    body = text.encode("latin-1", "replace")
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
