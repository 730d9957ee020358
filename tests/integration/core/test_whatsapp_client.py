"""The client against sockets that misbehave: what may have been taken is never called unsent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest

from core.domain.outcomes import Accepted, NotSent, Outcome, Refused, Unknown
from core.whatsapp.client import WhatsAppClient, read_answer
from core.whatsapp.http import Answer, Http

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]
TOKEN = "secret-token"


@asynccontextmanager
async def server(answer: Act) -> AsyncIterator[str]:
    """A server that reads a request whole and then does what it is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        await answer(writer)
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"


async def send(url: str, *, seconds: float = 5.0) -> Outcome:
    async with Http(timeout_seconds=seconds, max_connections=4) as http:
        client = WhatsAppClient(http=http, base_url=url, api_version="v25.0")
        return await client.send(phone_number_id="1", token=TOKEN, payload={"to": "+4917012345678"})


def reply(status: str, body: str, *, length: int | None = None) -> Act:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body) if length is None else length}\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()

    return answer


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no-such-host.invalid"])
async def test_a_call_that_could_not_connect_was_not_sent(url: str) -> None:
    assert isinstance(await send(url), NotSent)


@pytest.mark.parametrize("answer", [reset, close, reply("200 OK", '{"messages"', length=500)])
async def test_a_connection_that_breaks_after_the_request_leaves_the_outcome_unknown(answer: Act) -> None:
    async with server(answer) as url:
        outcome = await send(url)
    assert isinstance(outcome, Unknown)


async def test_silence_leaves_the_outcome_unknown() -> None:
    hanging = asyncio.Event()

    async def wait(_writer: asyncio.StreamWriter) -> None:
        await hanging.wait()

    async with server(wait) as url:
        outcome = await send(url, seconds=0.3)
        hanging.set()
    assert isinstance(outcome, Unknown)


async def test_an_accepted_message_has_its_id() -> None:
    body = '{"messages": [{"id": "wamid.X", "message_status": "accepted"}]}'
    async with server(reply("200 OK", body)) as url:
        assert await send(url) == Accepted(whatsapp_message_id="wamid.X")


@pytest.mark.parametrize(("status", "body"), [(500, b""), (502, b"<html>"), (200, b"{}"), (200, b'{"messages": []}')])
def test_an_answer_without_a_word_of_whatsapp_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(read_answer(Answer(status, body)), Unknown)


@pytest.mark.parametrize(
    ("status", "body", "code", "title"),
    [
        (
            400,
            b'{"error": {"code": 131009, "message": "(#131009) Bad value", "error_data": "text"}}',
            131009,
            "Bad value",
        ),
        (500, b'{"error": {"code": 131000, "message": "Something\\u0000"}}', 131000, "Something"),
    ],
)
def test_an_error_of_whatsapp_is_read_whatever_its_http_status(status: int, body: bytes, code: int, title: str) -> None:
    outcome = read_answer(Answer(status, body))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.title) == (code, title)


@pytest.mark.parametrize("code", [b'"13x"', b'"' + b"9" * 5000 + b'"', b"true", b"1.5", b"99999999999", b"null"])
def test_a_code_that_is_none_is_not_believed(code: bytes) -> None:
    assert isinstance(read_answer(Answer(500, b'{"error": {"code": ' + code + b"}}")), Unknown)


@pytest.mark.parametrize(
    ("told", "held"),
    [("held_for_quality_assessment", True), ("paused", True), ("accepted", False), ("anything", False), ([], False)],
)
def test_a_message_that_is_kept_back_is_accepted_and_held(told: object, held: bool) -> None:
    body = orjson.dumps({"messages": [{"id": "w", "message_status": told}]})
    assert read_answer(Answer(200, body)) == Accepted(whatsapp_message_id="w", held=held)


async def test_no_outcome_shows_token_or_number() -> None:
    for url in ("http://127.0.0.1:1", "http://no-such-host.invalid"):
        shown = repr(await send(url))
        assert TOKEN not in shown
        assert "4917012345678" not in shown
