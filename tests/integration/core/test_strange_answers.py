"""The client against a Cloud API with manners of its own: nothing that may have been taken is called unsent."""

import asyncio
import gzip
import json
from collections.abc import Sequence

import pytest

from core.domain.outcomes import Accepted, ErrorClass, NotSent, Outcome, Refused, Unknown
from core.whatsapp.client import WhatsAppClient
from core.whatsapp.http import Http
from tests.helpers.raw_http import Act, RawServer, answer, chunked, raw_server, say

TAKEN = b'{"messages": [{"id": "wamid.X"}]}'
WHOLE = f"content-length: {len(TAKEN)}"
OK = Accepted(whatsapp_message_id="wamid.X")


def usage(*minutes: int) -> str:
    """A header line that tells for each of two accounts when calls are taken again."""
    told = {str(n): [{"type": "whatsapp", "estimated_time_to_regain_access": one}] for n, one in enumerate(minutes)}
    return f"X-Business-Use-Case-Usage: {json.dumps(told)}"


async def send(server: RawServer, *, times: int = 1, seconds: float = 5.0) -> list[Outcome]:
    """Sends messages one after the other over one pool."""
    async with Http(timeout_seconds=seconds, max_connections=1) as http:
        client = WhatsAppClient(http=http, base_url=server.url, api_version="v25.0")
        return [await client.send(phone_number_id="1", token="secret", payload={"n": n}) for n in range(times)]


async def told(*acts: Act, times: int = 1, seconds: float = 5.0) -> tuple[Sequence[Outcome], RawServer]:
    """Returns what became of messages sent to a server that acts so."""
    async with raw_server(*acts) as server:
        return await send(server, times=times, seconds=seconds), server


@pytest.mark.parametrize(
    "act",
    [
        answer("200 OK", TAKEN, version="HTTP/1.0", close=True),
        say(b"HTTP/1.0 200 OK\r\n\r\n" + TAKEN, close=True),
        answer("200 OK", TAKEN, "connection: close", close=True),
        answer("201 Created", TAKEN),
        answer("202 Accepted", TAKEN),
        chunked(TAKEN),
        say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + WHOLE.encode() + b"\r\n\r\n" + TAKEN),
        say(b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", f"HTTP/1.1 200 OK\r\n{WHOLE}\r\n\r\n".encode(), TAKEN),
        answer("200 OK", TAKEN, WHOLE, "x-fb-trace-id: a", "x-fb-trace-id: b", "content-type: text/html"),
        answer("200 OK", b'\n {"error": null, "messages": [{"id": "wamid.X", "message_status": "brand_new"}]} \n'),
        answer("200 OK", b'{"error": {"code": 131000}, "messages": [{"id": "wamid.X"}]}'),
        answer("200 OK", gzip.compress(TAKEN), "content-encoding: gzip"),
        answer("200 OK", rb'{"messages": [{"id": "wamid\u0000.X\u0000"}]}'),
    ],
)
async def test_a_message_with_an_id_was_accepted_however_the_answer_is_dressed(act: Act) -> None:
    outcomes, server = await told(act)
    assert outcomes == [OK]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "act",
    [
        answer("200 OK", b""),
        answer("200 OK", b"OK"),
        answer("200 OK", b"\xff\xfe\x00garbage"),
        answer("200 OK", b"[]"),
        answer("200 OK", b"{}"),
        answer("200 OK", b'{"messages": []}'),
        answer("200 OK", b'{"messages": [null]}'),
        answer("200 OK", b'{"messages": [{"id": ""}]}'),
        answer("200 OK", b'{"messages": [{"id": 7}]}'),
        answer("200 OK", rb'{"messages": [{"id": "\u0000"}]}'),
        answer("200 OK", b'{"messages": {"id": "wamid.X"}}'),
        answer("200 OK", b'{"error": {}}'),
        answer("200 OK", b'{"error": "no"}'),
        answer("200 OK", b"[" * 100_000),
        say(b"HTTP/1.1 204 No Content\r\n\r\n"),
        answer("301 Moved Permanently", b"", "location: /elsewhere"),
        answer("307 Temporary Redirect", b"", "location: /elsewhere"),
        answer("408 Request Timeout", b"<html>too slow</html>"),
        answer("499 Client Closed Request", b""),
        answer("500 Internal Server Error", b"<html>sorry</html>", "content-type: text/html"),
        answer("500 Internal Server Error", b'{"error": {"message": "no code"}}'),
        answer("502 Bad Gateway", b""),
        answer("503 Service Unavailable", b"busy"),
        answer("504 Gateway Timeout", b""),
        answer("200 OK", b"not gzip", "content-encoding: gzip"),
        answer("200 OK", TAKEN, "content-length: 3"),
        say(close=True),
        say(reset=True),
        say(b"HT", close=True),
        say(b"HTTP/1.1 200 OK\r\ncontent-le", reset=True),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + TAKEN, close=True),
        say(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + TAKEN, reset=True),
        say(b"SSH-2.0-OpenSSH\r\n", close=True),
        say(b"\x00\x01\x02", close=True),
        say(b"HTTP/1.1 999\r\n\r\n", close=True),
        chunked(TAKEN, end=b"", close=True),
        chunked(TAKEN, end=b"zz\r\n", close=True),
    ],
)
async def test_what_cannot_be_read_leaves_the_outcome_unknown_and_is_not_sent_again(act: Act) -> None:
    outcomes, server = await told(act)
    assert [type(outcome) for outcome in outcomes] == [Unknown]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("act", "code", "error_class"),
    [
        (answer("200 OK", b'{"error": {"code": 131000, "message": "x"}}'), 131000, ErrorClass.RETRY_LATER),
        (answer("400 Bad Request", b'{"error": {"code": "131009"}}'), 131009, ErrorClass.PERMANENT_RECIPIENT),
        (answer("500 Oops", b'{"error": {"code": " 190 "}}'), 190, ErrorClass.AUTH),
        (answer("400 Bad Request", b'{"error": {"code": 131056.0}}'), 131056, ErrorClass.THROTTLE_PAIR),
        (answer("429 Too Many Requests", b""), 0, ErrorClass.THROTTLE),
        (answer("429 Too Many Requests", b"slow down"), 0, ErrorClass.THROTTLE),
        (answer("429 Too Many Requests", b'{"error": {"message": "slow"}}'), 0, ErrorClass.THROTTLE),
        (answer("400 Bad Request", b"<html>bad</html>"), 0, ErrorClass.RETRY_LATER),
        (answer("400 Bad Request", b'{"error": {"code": "none"}}'), 0, ErrorClass.RETRY_LATER),
        (answer("404 Not Found", b""), 0, ErrorClass.RETRY_LATER),
        (answer("413 Too Large", b"", "connection: close", close=True), 0, ErrorClass.RETRY_LATER),
    ],
)
async def test_a_refusal_is_one_by_its_code_or_else_by_its_status(act: Act, code: int, error_class: ErrorClass) -> None:
    (outcome,), server = await told(act)
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.verdict.error_class) == (code, error_class)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "headers", "wait"),
    [
        (130429, ["Retry-After: 17"], 17.0),
        (131000, ["retry-after: 40"], 40.0),
        (2, ["date: Thu, 26 Nov 2026 10:00:00 GMT", "retry-after: Thu, 26 Nov 2026 10:02:00 GMT"], 120.0),
        (2, ["retry-after: tomorrow"], 0.0),
        (2, ["retry-after: -5"], 0.0),
        (2, ["retry-after: 99999999999"], 86_400.0),
        (80007, [usage(3), "retry-after: 10"], 180.0),
        (4, [usage(0, 25)], 1500.0),
        (80007, ["x-business-use-case-usage: nothing"], 0.0),
        (131009, [usage(3)], 0.0),
        (0, ["retry-after: 9"], 9.0),
        (130429, ["x-proxy: \u00fcbel", "retry-after: 11"], 11.0),
        (130429, ["retry-after: \u0661"], 0.0),
    ],
)
async def test_the_wait_that_whatsapp_asks_for_is_heard(code: int, headers: list[str], wait: float) -> None:
    body = f'{{"error": {{"code": {code}}}}}'.encode() if code else b""
    (outcome,), _ = await told(answer("429 Too Many Requests", body, *headers))
    assert isinstance(outcome, Refused)
    assert outcome.wait == wait


async def test_an_answer_that_drips_ends_with_the_time_for_a_call() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)  # noqa: TID251  # the server is the slow one

    outcomes, server = await told(drip, seconds=0.3)
    assert [type(outcome) for outcome in outcomes] == [Unknown]
    assert len(server.requests) == 1


async def test_a_connection_that_ended_while_it_rested_costs_no_message() -> None:
    ended = asyncio.Event()

    async def answer_and_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer("200 OK", TAKEN)(reader, writer)
        writer.write_eof()
        await reader.read()  # returns when the client has noticed, and let go as well
        writer.close()
        ended.set()

    async with raw_server(answer_and_end) as server, Http(timeout_seconds=5.0, max_connections=1) as http:
        client = WhatsAppClient(http=http, base_url=server.url, api_version="v25.0")
        for count in range(1, 6):
            assert await client.send(phone_number_id="1", token="secret", payload={}) == OK
            await ended.wait()
            ended.clear()
            assert (len(server.requests), server.connection_count) == (count, count)


async def test_a_connection_that_ends_just_as_the_next_message_leaves_never_makes_two_of_it() -> None:
    outcomes, server = await told(answer("200 OK", TAKEN, close=True), times=20)
    # Each was taken once, or stayed here, or is in doubt; whatever was answered arrived once.
    assert sum(outcome == OK for outcome in outcomes) == len(server.requests)
    assert all(outcome == OK or isinstance(outcome, NotSent | Unknown) for outcome in outcomes)


@pytest.mark.parametrize("act", [say(close=True), say(reset=True), say(b"HTTP/1.1 2", reset=True)])
async def test_a_reused_connection_that_breaks_under_a_message_leaves_it_unknown_and_is_not_sent_again(
    act: Act,
) -> None:
    outcomes, server = await told(answer("200 OK", TAKEN), act, times=2)
    assert [type(outcome) for outcome in outcomes] == [Accepted, Unknown]
    assert len(server.requests) == 2
    assert server.connection_count == 1


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_messages() -> None:
    twice = f"HTTP/1.1 200 OK\r\n{WHOLE}\r\n\r\n".encode() + TAKEN
    outcomes, server = await told(say(twice, twice), answer("400 Bad Request", b'{"error": {"code": 131009}}'), times=2)
    assert outcomes[0] == OK
    assert not isinstance(outcomes[1], Accepted)
    assert len(server.requests) == 2
