"""Each call has an id and one log line, without anything personal in it."""

import logging
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from core import telemetry
from core.domain.errors import NotFound
from core.metrics import RpcMetrics
from server.interceptors.errors import Errors
from server.interceptors.telemetry import Telemetry
from tests.helpers.clocks import StillClock
from tests.helpers.doors import Context, answering, call, serving, trailing

CLOCK = StillClock()


async def echo(request: StringValue, _: Context) -> StringValue:
    CLOCK.move(0.25)
    return StringValue(value=f"{request.value} {telemetry.request_id()}")


async def refuse(_request: StringValue, _context: Context) -> StringValue:
    raise NotFound("THING_NOT_FOUND", "There is no such thing.")


HANDLERS = {"Echo": answering(echo), "Refuse": answering(refuse)}


def chain() -> list[Any]:
    return [Telemetry(clock=CLOCK, make_id=lambda: "made-here", metrics=RpcMetrics(CollectorRegistry())), Errors()]


async def test_a_call_without_an_id_gets_one_and_the_caller_learns_it() -> None:
    async with serving(HANDLERS, chain()) as channel:
        reply, metadata = await call(channel, "Echo")
    assert metadata["x-request-id"] == "made-here"
    assert reply.value == "x made-here"


async def test_a_sane_id_from_the_caller_is_kept() -> None:
    async with serving(HANDLERS, chain()) as channel:
        _, metadata = await call(channel, "Echo", metadata=[("x-request-id", "order-4711.2")])
    assert metadata["x-request-id"] == "order-4711.2"


@pytest.mark.parametrize("odd", ["short", "a" * 65, 'a","level":"ERROR', "spaces in it"])
async def test_an_odd_id_is_replaced(odd: str) -> None:
    async with serving(HANDLERS, chain()) as channel:
        _, metadata = await call(channel, "Echo", metadata=[("x-request-id", odd)])
    assert metadata["x-request-id"] == "made-here"


async def test_a_refusal_carries_the_id_too() -> None:
    async with serving(HANDLERS, chain()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "Refuse")
    assert trailing(refused.value)["x-request-id"] == "made-here"


async def test_one_line_says_method_code_and_duration_and_nothing_of_the_content(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="server.interceptors.telemetry"):
        async with serving(HANDLERS, chain()) as channel:
            await call(channel, "Echo", StringValue(value="+33612345678"))
            with pytest.raises(grpc.aio.AioRpcError):
                await call(channel, "Refuse")
    lines = [vars(record) for record in caplog.records if record.message == "call"]
    assert [(line["method"], line["code"]) for line in lines] == [
        ("/test.Echo/Echo", "OK"),
        ("/test.Echo/Refuse", "NOT_FOUND"),
    ]
    assert lines[0]["duration_ms"] == 250.0
    assert "33612345678" not in str(lines)
