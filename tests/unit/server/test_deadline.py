"""Unary calls end in time to say so; watches end gently."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from server.interceptors.base import Interceptor
from server.interceptors.deadline import Deadline
from server.interceptors.errors import Errors
from tests.helpers.doors import ECHO, Context, Stub, answering, call, details, serving

CANCELLED: list[str] = []


async def dawdle(request: StringValue, _: Context) -> StringValue:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        CANCELLED.append(request.value)
        raise
    return request


async def wait_often(request: StringValue, _: Context) -> StringValue:
    for _ in range(3):
        await asyncio.get_running_loop().run_in_executor(None, len, b"")
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.01)
    except TimeoutError:
        return request
    raise AssertionError


async def clean_slowly(request: StringValue, _: Context) -> StringValue:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.get_running_loop().run_in_executor(None, len, b"")
        CANCELLED.append(request.value)
    return request


async def watch(request: StringValue, _: Context) -> AsyncIterator[StringValue]:
    yield request
    await asyncio.Event().wait()


TEXTS = {"request_deserializer": StringValue.FromString, "response_serializer": StringValue.SerializeToString}
HANDLERS = {
    "Dawdle": answering(dawdle),
    "WaitOften": answering(wait_often),
    "CleanSlowly": answering(clean_slowly),
    "WatchIt": grpc.unary_stream_rpc_method_handler(watch, **TEXTS),
}


async def test_a_call_without_a_deadline_gets_the_default_one_and_its_work_is_cancelled() -> None:
    async with serving(HANDLERS, [Errors(), Deadline(default_seconds=0.05)]) as channel:
        stub: Stub = channel.unary_unary(f"/{ECHO}/Dawdle", response_deserializer=StringValue.FromString)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub(StringValue(value="default").SerializeToString())
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "default" in CANCELLED


async def test_work_that_waits_often_and_has_times_of_its_own_is_let_be() -> None:
    async with serving(HANDLERS, [Errors(), Deadline(default_seconds=60)]) as channel:
        reply, _ = await call(channel, "WaitOften", StringValue(value="patient"))
    assert reply.value == "patient"


async def test_work_that_is_cancelled_may_still_wait_to_clean_up() -> None:
    async with serving(HANDLERS, [Errors(), Deadline(default_seconds=60)]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "CleanSlowly", StringValue(value="clean"), timeout=0.3)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "clean" in CANCELLED


async def test_the_callers_own_deadline_is_answered_by_us_just_before_it_passes() -> None:
    async with serving(HANDLERS, [Errors(), Deadline(default_seconds=60)]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "Dawdle", timeout=0.5)
    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert details(refused.value)["ErrorInfo"].reason == "DEADLINE_EXCEEDED"  # only our own answer carries it


async def test_a_watch_has_no_default_deadline_and_ends_with_ok() -> None:
    chain: list[Interceptor] = [Errors(), Deadline(default_seconds=0.01, watch_seconds=0.3)]
    async with serving(HANDLERS, chain) as channel:
        stub: Stub = channel.unary_stream(f"/{ECHO}/WatchIt", response_deserializer=StringValue.FromString)
        watching = stub(StringValue(value="seen").SerializeToString())
        assert [reply.value async for reply in watching] == ["seen"]
        assert await watching.code() is grpc.StatusCode.OK


async def test_a_stopping_process_ends_its_watches() -> None:
    deadline = Deadline(default_seconds=60)
    async with serving(HANDLERS, [Errors(), deadline]) as channel:
        stub: Stub = channel.unary_stream(f"/{ECHO}/WatchIt", response_deserializer=StringValue.FromString)
        watching = stub(StringValue(value="seen").SerializeToString())
        assert (await watching.read()).value == "seen"
        deadline.end_watches()
        assert await asyncio.wait_for(watching.read(), 5) is grpc.aio.EOF
        assert await watching.code() is grpc.StatusCode.OK
