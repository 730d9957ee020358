"""client: makes calls over one asynchronous channel, with deadline, key, retries and typed errors."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import TypeVar

import betterproto2
import grpc

from chappe_client.attempts import Attempts
from chappe_client.errors import from_call
from chappe_client.retries import Page, RetryPolicy, next_page, with_request_id
from chappe_client.session import Session

Q = TypeVar("Q", bound=betterproto2.Message)
R = TypeVar("R", bound=betterproto2.Message)
P = TypeVar("P", bound=Page)
T = TypeVar("T")


class Calls:
    """Makes calls; one per client, shared by its services. timeout is in seconds and bounds all attempts together."""

    def __init__(
        self,
        *,
        channel: grpc.aio.Channel,
        session: Session,
        retries: RetryPolicy,
        timeout: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,  # noqa: TID251 - backing off is waiting for time to pass
    ) -> None:
        self._channel = channel
        self._session = session
        self._retries = retries
        self._timeout = timeout
        self._sleep = sleep

    async def unary_unary(
        self, method: str, request: betterproto2.Message, reply: type[R], *, timeout: float | None
    ) -> R:
        """Returns the reply, after as many attempts as the policy and the deadline allow."""
        rpc = self._channel.unary_unary(method, bytes, reply.parse)
        ready = with_request_id(request)
        attempts = Attempts(policy=self._retries, timeout=timeout or self._timeout)
        while True:
            call = rpc(ready, timeout=attempts.begin(), metadata=self._session.metadata())
            try:
                answer: R = await call
            except grpc.RpcError as failure:
                await self._sleep(attempts.delay_after(failure))
            else:
                self._session.learn(await call.trailing_metadata())
                return answer

    async def unary_stream(
        self, method: str, request: betterproto2.Message, reply: type[R], *, timeout: float | None
    ) -> AsyncIterator[R]:
        """Yields the replies; makes the call again only while the first has not come."""
        rpc = self._channel.unary_stream(method, bytes, reply.parse)
        attempts = Attempts(policy=self._retries, timeout=timeout)
        begun = False
        while True:
            call = rpc(request, timeout=attempts.begin(), metadata=self._session.metadata())
            try:
                async for element in call:
                    begun = True
                    yield element
            except grpc.RpcError as failure:
                if begun:
                    raise from_call(failure) from failure
                await self._sleep(attempts.delay_after(failure))
            else:
                return
            finally:
                call.cancel()

    async def stream_unary(
        self, method: str, requests: AsyncIterable[betterproto2.Message], reply: type[R], *, timeout: float | None
    ) -> R:
        """Returns the reply to a stream, which is sent once."""
        source = _Source(requests)
        rpc = self._channel.stream_unary(method, bytes, reply.parse)
        call = rpc(source.read(), timeout=timeout, metadata=self._session.metadata())
        try:
            answer: R = await call
        except grpc.RpcError as failure:
            raise from_call(failure) from failure
        except asyncio.CancelledError:
            source.raise_own_failure()
            raise
        self._session.learn(await call.trailing_metadata())
        return answer

    async def stream_stream(
        self, method: str, requests: AsyncIterable[betterproto2.Message], reply: type[R], *, timeout: float | None
    ) -> AsyncIterator[R]:
        """Yields the replies to a stream, which is sent once."""
        source = _Source(requests)
        rpc = self._channel.stream_stream(method, bytes, reply.parse)
        call = rpc(source.read(), timeout=timeout, metadata=self._session.metadata())
        try:
            async for element in call:
                yield element
            self._session.learn(await call.trailing_metadata())
        except grpc.RpcError as failure:
            raise from_call(failure) from failure
        except asyncio.CancelledError:
            source.raise_own_failure()
            raise
        finally:
            call.cancel()

    async def pages(
        self, ask: Callable[[Q], Awaitable[P]], request: Q, items: Callable[[P], list[T]]
    ) -> AsyncIterator[T]:
        """Yields the items of all pages from the request's own page on."""
        ready: Q | None = request
        while ready is not None:
            page = await ask(ready)
            for item in items(page):
                yield item
            ready = next_page(ready, page.next_page_token)

    async def again_later(self, failures: int) -> None:
        """Waits before something is tried again that failed so many times in a row."""
        await self._sleep(self._retries.backoff(failures))


class _Source:
    """Reads the caller's requests and keeps what they raise: gRPC would only tell of a cancelled call."""

    def __init__(self, requests: AsyncIterable[betterproto2.Message]) -> None:
        self._requests = requests
        self._failure: Exception | None = None

    async def read(self) -> AsyncIterator[betterproto2.Message]:
        try:
            async for request in self._requests:
                yield request
        except Exception as failure:
            self._failure = failure
            raise

    def raise_own_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
