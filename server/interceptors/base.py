"""What interceptors stand on: handlers of all four kinds and both styles, re-wrapped once into one shape.

Between the outermost and the handler a call is bytes in, bytes out: only ``_Door._handle`` parses and serialises.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, NoReturn, Protocol

import grpc
from google.protobuf.message import DecodeError, Message

from core.domain.errors import InvalidArgument
from server.call import Call, enter, leave
from server.policies import Policy

Proceed = Callable[[], Coroutine[Any, Any, bytes]]
# The gRPC project types neither the fields of its handlers nor its contexts.
Handler = Any
Context = Any
Incoming = Any  # bytes, or an iterator of bytes

Metadata = Sequence[tuple[str, Any]]

# Answers at once what needs neither waiting nor refusing; None leaves it to the chain.
AtOnce = Callable[[bytes, Metadata, Context], bytes | None]
# Returns what answers the calls of one method at once.
Shortcut = Callable[[str, Policy], AtOnce]

_HEAR_OUT_SECONDS = 0.25


class Interceptor(Protocol):
    """Does one thing around every call, whatever its kind."""

    async def around(self, call: Call, proceed: Proceed) -> bytes:
        """Returns the serialised reply, usually what ``proceed`` returns; a streamed reply has gone out by then."""
        ...


class Aborted(Exception):
    """Ends a call with a status other than OK; only the outermost turns it into ``context.abort``."""

    def __init__(self, code: grpc.StatusCode, message: str, *, details: bytes = b"") -> None:
        """Takes the code, the text for the caller, and a serialised google.rpc.Status or nothing."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def metadata(self) -> dict[str, str | bytes]:
        """Returns the trailing metadata that carries the details."""
        return {"grpc-status-details-bin": self.details} if self.details else {}


class Chain(grpc.GenericRpcHandler):
    """Runs every call through the interceptors, the first of them outermost; services register here, not at the server.

    gRPC's own interceptors are asked anew for each call, which costs as much as all of a hit.
    """

    def __init__(
        self, interceptors: Sequence[Interceptor], *, policies: Mapping[str, Policy], shortcut: Shortcut | None = None
    ) -> None:
        self._interceptors = tuple(interceptors)
        self._policies = policies
        self._shortcut = shortcut
        self._offered: list[grpc.GenericRpcHandler] = []
        self._doors: dict[str, _Door] = {}

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Takes a service, as a server does."""
        self._offered.extend(handlers)

    def add_registered_method_handlers(self, service_name: str, handlers: Mapping[str, Handler]) -> None:
        """Takes a service's methods by name: grpc.aio has no use for them, they come in the other way too."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """Returns the re-wrapped handler; None where there is no such method."""
        door = self._doors.get(handler_call_details.method) or self._find(handler_call_details)
        if door is None:
            return None
        return door.asked(handler_call_details.invocation_metadata) if door.asked is not None else door.always

    def _find(self, details: grpc.HandlerCallDetails) -> "_Door | None":
        method = details.method
        handler = next(filter(None, (offered.service(details) for offered in self._offered)), None)
        if handler is not None:
            self._doors[method] = _Door(method, handler, self._interceptors, self._policies[method], self._shortcut)
        return self._doors.get(method)


class _Door:
    """Serves one method: the interceptors around, the handler inside."""

    def __init__(
        self,
        method: str,
        handler: Handler,
        interceptors: Sequence[Interceptor],
        policy: Policy,
        shortcut: Shortcut | None,
    ) -> None:
        self._method = method
        self._handler = handler
        self._interceptors = interceptors
        self._policy = policy
        at_once = shortcut(method, policy) if shortcut is not None and policy.kept else None
        # What serves a call: by its headers, where it may be answered at once.
        self.asked = partial(_Asked, at_once, self.serve) if at_once is not None else None
        self.always = self._wrapped()
        self._behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        self._serialise: Callable[[Message], bytes] = handler.response_serializer
        self._hearings: set[asyncio.Future[None]] = set()

    def _wrapped(self) -> Handler:
        """Returns a handler without (de)serialisers, so that gRPC hands us bytes and takes bytes."""
        make: Any = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[self._handler.request_streaming, self._handler.response_streaming]
        return make(self.serve)

    async def serve(self, incoming: Incoming, context: Context) -> bytes:
        """Answers one call; nothing is left to clean up once it aborts, because gRPC may cut it off there."""
        call = self._call(incoming, context)
        token = enter(call)
        try:
            reply = await self._run(call, partial(self._handle, call, incoming, context))
        except Aborted as refused:
            aborted = refused
        else:
            context.set_trailing_metadata(tuple(call.trailing.items()))
            return reply
        finally:
            leave(token)
        if self._handler.request_streaming:
            await self._hear_out(context)
        await context.abort(
            aborted.code, aborted.message, trailing_metadata=tuple({**call.trailing, **aborted.metadata()}.items())
        )
        return b""  # never reached: abort raises

    async def _hear_out(self, context: Context) -> None:
        """Lets a caller end its sentence: grpc.aio tells one cut off while sending INTERNAL, whatever we say."""
        hearing = asyncio.ensure_future(_to_the_end(context))
        self._hearings.add(hearing)  # what is still sent after the wait ends with the call
        hearing.add_done_callback(self._hearings.discard)
        await asyncio.wait([hearing], timeout=_HEAR_OUT_SECONDS)

    def _call(self, incoming: Incoming, context: Context) -> Call:
        return Call(
            method=self._method,
            policy=self._policy,
            metadata=tuple(context.invocation_metadata() or ()),
            is_unary=not (self._handler.request_streaming or self._handler.response_streaming),
            raw=b"" if self._handler.request_streaming else incoming,
            time_remaining=context.time_remaining(),
        )

    async def _run(self, call: Call, innermost: Proceed) -> bytes:
        proceed = innermost
        for interceptor in reversed(self._interceptors):
            proceed = partial(interceptor.around, call, proceed)
        return await proceed()

    async def _handle(self, call: Call, incoming: Incoming, context: Context) -> bytes:
        parse = partial(self._parse, call)
        inner = _Context(context, parse=parse, serialise=self._serialise)
        outcome = self._behaviour(_each(incoming, parse) if self._handler.request_streaming else parse(incoming), inner)
        if not self._handler.response_streaming:
            return self._serialise(await outcome)
        if isinstance(outcome, AsyncIterator):
            async with aclosing(outcome) as replies:  # type: ignore[type-var]  # a handler's iterator is a generator
                async for reply in replies:
                    await inner.write(reply)
        else:
            await outcome
        return b""

    def _parse(self, call: Call, raw: bytes) -> Message:
        try:
            message: Message = self._handler.request_deserializer(raw)
        except DecodeError:
            raise InvalidArgument("REQUEST_UNREADABLE", "The request is not a message of this rpc.") from None
        call.check(message)
        return message


class _Asked:
    """Is the handler of one call that may be answered at once; it has the headers, which gRPC would read once more."""

    __slots__ = ("_at_once", "_metadata", "_serve")
    request_streaming = response_streaming = False
    request_deserializer = response_serializer = None

    def __init__(
        self, at_once: AtOnce, serve: Callable[[bytes, Context], Coroutine[Any, Any, bytes]], metadata: Metadata
    ) -> None:
        self._at_once = at_once
        self._serve = serve
        self._metadata = metadata

    async def unary_unary(self, raw: bytes, context: Context) -> bytes:
        """Returns the reply, serialised."""
        reply = self._at_once(raw, self._metadata, context)
        return reply if reply is not None else await self._serve(raw, context)


async def _to_the_end(context: Context) -> None:
    with suppress(Exception):
        while await context.read() is not grpc.aio.EOF:
            pass


async def _each(incoming: AsyncIterable[bytes], parse: Callable[[bytes], Message]) -> AsyncIterator[Message]:
    async for raw in incoming:
        yield parse(raw)


class _Context:
    """Is gRPC's context, but reads and writes messages instead of bytes and leaves the abort to the outermost."""

    def __init__(
        self,
        context: Context,
        *,
        parse: Callable[[bytes], Message],
        serialise: Callable[[Message], bytes],
    ) -> None:
        self._context = context
        self._parse = parse
        self._serialise = serialise

    async def read(self) -> object:
        """Returns the caller's next message, or ``grpc.aio.EOF``."""
        raw = await self._context.read()
        return raw if raw is grpc.aio.EOF else self._parse(raw)

    async def write(self, message: Message) -> None:
        """Sends a message to the caller."""
        await self._context.write(self._serialise(message))

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: object = ()) -> NoReturn:
        """Ends the call with that status."""
        del trailing_metadata
        raise Aborted(code, details)

    def __getattr__(self, name: str) -> object:
        return getattr(self._context, name)
