"""Reading our accounts from WhatsApp over real sockets: pages to the last, odd values, and every kind of no."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from core.domain.errors import LimitReached, NotFound, Refusal, Unavailable, WrongState
from core.domain.senders import Quality, SenderInfo, ThroughputLevel
from core.whatsapp.http import Http
from core.whatsapp.management import ManagementClient
from stack.ports import Ports

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def whatsapp(handler: Handler) -> AsyncIterator[ManagementClient]:
    """Answers every GET by the handler, and yields a client that asks it."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    port = Ports().take()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with Http(timeout_seconds=5, max_connections=2) as http:
            yield ManagementClient(http=http, base_url=f"http://127.0.0.1:{port}", api_version="v25.0")
    finally:
        await runner.cleanup()


def answering(answer: object, status: int = 200) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.json_response(answer, status=status)

    return handler


async def test_templates_are_read_page_by_page_even_over_an_empty_page_and_the_token_stays_at_home() -> None:
    pages: dict[str, dict[str, Any]] = {
        "": {"data": [{"id": "1", "name": "a", "language": "en"}], "paging": {"next": "http://evil.example/x?after=B"}},
        "B": {"data": [], "paging": {"next": "https://evil.example/x?limit=1&after=C%3D"}},
        "C=": {"data": [{"id": "2", "name": "b", "language": "fr"}], "paging": {"cursors": {"after": "D"}}},
    }
    asked: list[tuple[str, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((request.path, request.headers.get("authorization")))
        return web.json_response(pages[request.query.get("after", "")])

    async with whatsapp(handler) as client:
        listed = await client.list_templates(whatsapp_account_id="200", token="secret")
    assert [(template.template_name, template.language_code) for template in listed] == [("a", "en"), ("b", "fr")]
    assert asked == [("/v25.0/200/message_templates", "Bearer secret")] * 3


async def test_what_whatsapp_may_invent_is_kept_as_not_sendable_and_in_need_of_consent() -> None:
    odd = {
        "id": 7,
        "name": "odd",
        "language": "en",
        "status": "ON_THE_MOON",
        "category": "GREETING",
        "components": "none",
        "quality_score": None,
        "parameter_format": "MYSTERIOUS",
        "rejected_reason": "NONE",
    }
    async with whatsapp(answering({"data": [odd, {"id": "nameless"}, "junk"]})) as client:
        [template] = await client.list_templates(whatsapp_account_id="200", token="t")
    assert (template.state, template.template_category, template.quality) == ("OTHER", "MARKETING", "UNKNOWN")
    assert (template.components, template.parameter_format, template.rejected_reason) == ([], "POSITIONAL", "")


async def test_a_number_tells_its_quality_limit_and_speed_and_says_unknown_where_it_does_not() -> None:
    told = {
        "display_phone_number": "+1 555 0100",
        "verified_name": "Shop",
        "quality_rating": "YELLOW",
        "throughput": {"level": "HIGH"},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
    }
    async with whatsapp(answering(told)) as client:
        assert await client.get_number(phone_number_id="100", token="t") == SenderInfo(
            phone_number="+1 555 0100",
            verified_name="Shop",
            quality=Quality.YELLOW,
            throughput_level=ThroughputLevel.HIGH,
            messaging_limit="TIER_2K",
        )
    async with whatsapp(answering({"quality_rating": "NA", "throughput": "odd"})) as client:
        assert await client.get_number(phone_number_id="100", token="t") == SenderInfo(
            throughput_level=ThroughputLevel.NOT_APPLICABLE
        )


@pytest.mark.parametrize(
    ("code", "status", "kind", "reason"),
    [
        (190, 401, WrongState, "CREDENTIAL_INVALID"),
        (10, 403, WrongState, "CREDENTIAL_INVALID"),
        (200, 403, WrongState, "CREDENTIAL_INVALID"),
        (80007, 400, LimitReached, "WHATSAPP_LIMIT_REACHED"),
        (4, 400, LimitReached, "WHATSAPP_LIMIT_REACHED"),
        (100, 400, NotFound, "WHATSAPP_OBJECT_NOT_FOUND"),
        (1, 500, Unavailable, "WHATSAPP_UNAVAILABLE"),
        (None, 429, LimitReached, "WHATSAPP_LIMIT_REACHED"),
        (None, 503, Unavailable, "WHATSAPP_UNAVAILABLE"),
    ],
)
async def test_each_kind_of_no_has_its_reason(code: int | None, status: int, kind: type[Refusal], reason: str) -> None:
    answer = {"error": {"code": code, "message": "no"}} if code is not None else "not an object"
    async with whatsapp(answering(answer, status)) as client:
        with pytest.raises(kind) as refused:
            await client.get_number(phone_number_id="100", token="t")
    assert refused.value.reason == reason


async def test_whatsapp_that_does_not_answer_is_unavailable() -> None:
    async with Http(timeout_seconds=2, max_connections=1) as http:
        nobody = f"http://127.0.0.1:{Ports().take()}"
        client = ManagementClient(http=http, base_url=nobody, api_version="v25.0")
        with pytest.raises(Unavailable) as refused:
            await client.get_number(phone_number_id="100", token="t")
    assert refused.value.reason == "WHATSAPP_UNAVAILABLE"
