"""Real gRPC servers on a free port, with the interceptors a test is about."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2, status_pb2

from server.call import Call
from server.interceptors.base import Chain, Interceptor, Proceed
from server.policies import OPEN, Policy

ECHO = "test.Echo"
# The gRPC project types neither its contexts nor its handlers.
Context = Any
Handler = Any
Stub = Any
Reply = Any


class Around:
    """An interceptor made of a function."""

    def __init__(self, function: Callable[[Call, Proceed], Awaitable[bytes]]) -> None:
        self._function = function

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Does what the function does."""
        return await self._function(call, proceed)


@asynccontextmanager
async def serving(
    handlers: Mapping[str, Handler],
    interceptors: Sequence[Interceptor] = (),
    *,
    policies: Mapping[str, Policy] | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """Serves a service of text methods behind the interceptors and yields a channel to it."""
    known = policies if policies is not None else defaultdict(lambda: OPEN)
    guarded = Chain(interceptors, policies=known)
    guarded.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(ECHO, dict(handlers)),))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((guarded,))
    async with listening(server) as channel:
        yield channel


@asynccontextmanager
async def listening(server: grpc.aio.Server) -> AsyncIterator[grpc.aio.Channel]:
    """Starts a server on a free port and yields a channel to it; stops it afterwards."""
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


def answering(behaviour: Callable[[StringValue, Context], Awaitable[StringValue]]) -> Handler:
    """Makes a unary method of a function."""
    return grpc.unary_unary_rpc_method_handler(
        behaviour, request_deserializer=StringValue.FromString, response_serializer=StringValue.SerializeToString
    )


async def call(
    channel: grpc.aio.Channel,
    method: str,
    request: Message | None = None,
    reply_type: type[Message] = StringValue,
    *,
    metadata: Sequence[tuple[str, str]] = (),
    timeout: float = 10.0,
) -> tuple[Reply, dict[str, Any]]:
    """Makes a unary call and returns the reply and the trailing metadata."""
    path = method if method.startswith("/") else f"/{ECHO}/{method}"
    stub: Stub = channel.unary_unary(
        path,
        request_serializer=type(request).SerializeToString if request else StringValue.SerializeToString,
        response_deserializer=reply_type.FromString,
    )
    made = stub(request if request is not None else StringValue(value="x"), metadata=tuple(metadata), timeout=timeout)
    reply = await made
    return reply, dict(await made.trailing_metadata())


def details(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """Returns the google.rpc details of an error by the name of their type."""
    status = status_pb2.Status()
    status.ParseFromString(trailing(error).get("grpc-status-details-bin", b""))
    found = {}
    for packed in status.details:
        name = packed.TypeName().rpartition(".")[2]
        detail = getattr(error_details_pb2, name)()
        packed.Unpack(detail)
        found[name] = detail
    return found


def trailing(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """Returns the trailing metadata of an error."""
    return dict(error.trailing_metadata() or ())
