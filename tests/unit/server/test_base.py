"""One shape for calls of all four kinds and both styles of handlers."""

from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import _async as health_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from core.domain.errors import NotFound
from server.call import Call
from server.interceptors.base import Aborted, Chain, Proceed
from server.interceptors.errors import Errors
from server.policies import OPEN
from tests.helpers.doors import ECHO, Around, Context, Stub, answering, call, listening, serving, trailing

TEXTS = {"request_deserializer": StringValue.FromString, "response_serializer": StringValue.SerializeToString}


def text(value: str) -> StringValue:
    return StringValue(value=value)


async def unary_unary(request: StringValue, _: Context) -> StringValue:
    return text(request.value.upper())


async def unary_stream_generator(request: StringValue, _: Context) -> AsyncIterator[StringValue]:
    for letter in request.value.upper():
        yield text(letter)


async def unary_stream_writer(request: StringValue, context: Context) -> None:
    for letter in request.value.upper():
        await context.write(text(letter))


async def stream_unary_iterator(requests: AsyncIterator[StringValue], _: Context) -> StringValue:
    return text("".join([request.value.upper() async for request in requests]))


async def stream_unary_reader(_: Context, context: Context) -> StringValue:
    heard = ""
    while (request := await context.read()) is not grpc.aio.EOF:
        heard += request.value.upper()
    return text(heard)


async def stream_stream_generator(requests: AsyncIterator[StringValue], _: Context) -> AsyncIterator[StringValue]:
    async for request in requests:
        yield text(request.value.upper())


async def stream_stream_writer(_: Context, context: Context) -> None:
    while (request := await context.read()) is not grpc.aio.EOF:
        await context.write(text(request.value.upper()))


KINDS = {
    "unary_unary": grpc.unary_unary_rpc_method_handler(unary_unary, **TEXTS),
    "unary_stream_generator": grpc.unary_stream_rpc_method_handler(unary_stream_generator, **TEXTS),
    "unary_stream_writer": grpc.unary_stream_rpc_method_handler(unary_stream_writer, **TEXTS),
    "stream_unary_iterator": grpc.stream_unary_rpc_method_handler(stream_unary_iterator, **TEXTS),
    "stream_unary_reader": grpc.stream_unary_rpc_method_handler(stream_unary_reader, **TEXTS),
    "stream_stream_generator": grpc.stream_stream_rpc_method_handler(stream_stream_generator, **TEXTS),
    "stream_stream_writer": grpc.stream_stream_rpc_method_handler(stream_stream_writer, **TEXTS),
}


def stub_of(channel: grpc.aio.Channel, kind: str) -> Stub:
    make = getattr(channel, "_".join(kind.split("_")[:2]))
    return make(
        f"/{ECHO}/{kind}",
        request_serializer=StringValue.SerializeToString,
        response_deserializer=StringValue.FromString,
    )


async def speak(channel: grpc.aio.Channel, kind: str, letters: str) -> str:
    """Calls a method of that kind and joins what it answers."""
    stub = stub_of(channel, kind)
    made = stub(text(letters) if kind.startswith("unary") else iter([text(letter) for letter in letters]))
    if kind.split("_")[1] == "unary":
        return str((await made).value)
    return "".join([reply.value async for reply in made])


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_and_style_passes_through_the_interceptors(kind: str) -> None:
    seen: list[str] = []

    async def note(call: Call, proceed: Proceed) -> bytes:
        seen.append(call.method)
        reply = await proceed()
        seen.append("back")
        return reply

    async with serving(KINDS, [Around(note), Around(note)]) as channel:
        assert await speak(channel, kind, "abc") == "ABC"
    assert seen == [f"/{ECHO}/{kind}"] * 2 + ["back"] * 2


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_can_be_refused_before_its_handler_runs(kind: str) -> None:
    async def refuse(_call: Call, _proceed: Proceed) -> bytes:
        raise NotFound("THING_NOT_FOUND", "There is no such thing.")

    async with serving(KINDS, [Errors(), Around(refuse)]) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await speak(channel, kind, "abc")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_caller_that_is_still_sending_learns_the_reason_and_not_that_it_was_cut_off() -> None:
    async def refuse(_call: Call, _proceed: Proceed) -> bytes:
        raise NotFound("THING_NOT_FOUND", "There is no such thing.")

    async with serving(KINDS, [Errors(), Around(refuse)]) as channel:
        for _ in range(20):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await speak(channel, "stream_stream_writer", "abc" * 20)
            assert refused.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("kind", KINDS)
async def test_each_message_of_every_kind_is_checked(kind: str) -> None:
    def refuse_b(message: Message) -> None:
        if message == text("b") or message == text("abc"):
            raise NotFound("B_NOT_FOUND", "There is no b.")

    async def check(call: Call, proceed: Proceed) -> bytes:
        call.check = refuse_b
        return await proceed()

    async with serving(KINDS, [Errors(), Around(check)]) as channel:
        assert await speak(channel, kind, "acd") == "ACD"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await speak(channel, kind, "abc")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_reply_from_an_interceptor_needs_no_handler_and_is_not_built_again() -> None:
    async def answer(_call: Call, _proceed: Proceed) -> bytes:
        return text("kept").SerializeToString()

    async with serving(KINDS, [Around(answer)]) as channel:
        assert await speak(channel, "unary_unary", "abc") == "kept"


async def test_a_request_that_is_no_message_is_refused() -> None:
    async with serving(KINDS, [Errors()]) as channel:
        stub: Stub = channel.unary_unary(f"/{ECHO}/unary_unary")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub(b"\xff\xff\xff")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_trailing_metadata_of_the_call_reaches_the_caller_with_a_reply_and_with_a_refusal() -> None:
    async def leave_word(call: Call, proceed: Proceed) -> bytes:
        call.trailing["x-word"] = "here"
        return await proceed()

    async def abort(_: StringValue, context: Context) -> StringValue:
        await context.abort(grpc.StatusCode.DATA_LOSS, "gone")
        return text("never")

    handlers = {**KINDS, "abort": answering(abort)}
    async with serving(handlers, [Around(leave_word)]) as channel:
        _, metadata = await call(channel, "unary_unary")
        assert metadata["x-word"] == "here"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "abort")
    assert refused.value.code() is grpc.StatusCode.DATA_LOSS
    assert trailing(refused.value)["x-word"] == "here"


async def test_all_has_been_cleaned_up_before_the_call_aborts() -> None:
    steps: list[str] = []

    async def abort(_: StringValue, context: Context) -> StringValue:
        try:
            await context.abort(grpc.StatusCode.ABORTED, "no")
            return text("never")
        finally:
            steps.append("handler")

    async def clean(_call: Call, proceed: Proceed) -> bytes:
        try:
            return await proceed()
        except Aborted:
            steps.append("interceptor")
            raise

    async with serving({"abort": answering(abort)}, [Around(clean)]) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await call(channel, "abort")
        assert steps == ["handler", "interceptor"]


async def test_health_can_be_watched_through_the_chain() -> None:
    servicer = health_aio.HealthServicer()
    watch, check = "/grpc.health.v1.Health/Watch", "/grpc.health.v1.Health/Check"
    guarded = Chain([Errors()], policies={watch: OPEN, check: OPEN})
    health_pb2_grpc.add_HealthServicer_to_server(servicer, guarded)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((guarded,))
    async with listening(server) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watching = stub.Watch(health_pb2.HealthCheckRequest())
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
        await servicer.set("", health_pb2.HealthCheckResponse.NOT_SERVING)
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watching.cancel()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
