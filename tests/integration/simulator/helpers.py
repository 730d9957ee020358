"""What the simulator's tests talk with: a client of its two APIs, and a receiver of its webhooks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

from tests.helpers.eventually import eventually

APP_SECRET: Final = "the-app-secret"
VERIFY_TOKEN: Final = "the-verify-token"
ACCESS_TOKEN: Final = "the-access-token"
NUMBER: Final = "100000000000001"
FAST_NUMBER: Final = "100000000000002"
WABA: Final = "200000000000001"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until an asynchronous condition holds."""
    either: Callable[[], bool | Awaitable[bool]] = condition
    await eventually(either)


class Receiver:
    """Keeps the webhooks whose signature is right, and counts those whose is not."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.refused = 0
        # Cleared, no call is answered; `most_open` is how many waited at once.
        self.answering = asyncio.Event()
        self.answering.set()
        self.open = self.most_open = 0
        self.answers: list[int] = []
        self.echo = True
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listens on a free port."""
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_post("/", self._post)
        app.router.add_get("/", self._get)
        app.router.add_get("/elsewhere", self._elsewhere)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.headers.append(dict(request.headers))
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await self.answering.wait()
        self.open -= 1
        expected = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
            self.refused += 1
            return web.Response(status=401)
        if self.answers and (status := self.answers.pop(0)) != 200:
            return web.Response(status=status, headers={"Location": "/elsewhere"} if 300 <= status < 400 else None)
        self.bodies.append(body)
        return web.Response()

    async def _elsewhere(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _get(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != VERIFY_TOKEN or not self.echo:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    def changes(self, field: str) -> list[dict[str, Any]]:
        """Returns the values received under a field."""
        entries = [entry for body in self.bodies for entry in json.loads(body)["entry"]]
        return [change["value"] for entry in entries for change in entry["changes"] if change["field"] == field]

    def statuses(self, wamid: str | None = None) -> list[dict[str, Any]]:
        """Returns the statuses received, of one message or of all."""
        found = [status for value in self.changes("messages") for status in value.get("statuses", ())]
        return [status for status in found if wamid in (None, status["id"])]

    def names(self, wamid: str | None = None) -> list[str]:
        """Returns the status words received, in their order."""
        return [status["status"] for status in self.statuses(wamid)]

    def inbound(self) -> list[dict[str, Any]]:
        """Returns the inbound messages received."""
        return [message for value in self.changes("messages") for message in value.get("messages", ())]


class Reply:
    """An HTTP answer, read."""

    def __init__(self, status: int, headers: dict[str, str], raw: bytes) -> None:
        self.status, self.headers, self.raw = status, headers, raw

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.raw))

    @property
    def code(self) -> int:
        """The code of an error, 0 when there is none."""
        return int(self.json.get("error", {}).get("code", 0))

    @property
    def wamid(self) -> str:
        """The id of the accepted message."""
        return str(self.json["messages"][0]["id"])


class Meta:
    """A client of the Graph API and of the control API."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(self, method: str, path: str, *, token: str = ACCESS_TOKEN, **options: Any) -> Reply:
        """Makes a Graph request, or any when the path is a full URL."""
        assert self._session is not None
        url = path if path.startswith("http") else self.base + path
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        async with self._session.request(method, url, headers=headers, **options) as answer:
            return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, await answer.read())

    async def sim(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Makes a control request and returns its JSON; the request must succeed."""
        reply = await self.call(method, "/_sim/" + path, json=body or {})
        assert reply.status == 200, reply.raw
        return reply.json

    async def send(self, to: str = "+15550100777", *, number: str = FAST_NUMBER, **changes: Any) -> Reply:
        """Sends the spring sale, or what `changes` make of it."""
        return await self.call("POST", f"/v25.0/{number}/messages", json=template_message(to, **changes))

    async def send_text(self, to: str, *, number: str = FAST_NUMBER) -> Reply:
        """Sends a text, which needs an open window."""
        body = {"messaging_product": "whatsapp", "to": to, "type": "text", "text": {"body": "Hello"}}
        return await self.call("POST", f"/v25.0/{number}/messages", json=body)

    async def summary(self) -> dict[str, Any]:
        """Returns the summary of what was accepted."""
        return await self.sim("GET", "summary")


def template_message(
    to: str,
    *,
    name: str = "spring_sale",
    values: tuple[str, ...] = ("Ann", "25%"),
    **changes: Any,
) -> dict[str, Any]:
    """Returns a send of a template with positional body values; other keys replace those of the envelope."""
    parameters = [{"type": "text", "text": value} for value in values]
    components = [{"type": "body", "parameters": parameters}] if values else []
    template = {"name": name, "language": {"code": changes.pop("language", "en_US")}, "components": components}
    return {"messaging_product": "whatsapp", "to": to, "type": "template", "template": template, **changes}
