"""client: makes calls over one plain channel, with deadline, key, retries and typed errors."""

import threading
from collections.abc import Callable, Iterable, Iterator
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


def rest(seconds: float) -> None:
    """Waits."""
    threading.Event().wait(seconds)


class SyncCalls:
    """Makes calls; one per client, shared by its services. timeout is in seconds and bounds all attempts together."""

    def __init__(
        self,
        *,
        channel: grpc.Channel,
        session: Session,
        retries: RetryPolicy,
        timeout: float,
        sleep: Callable[[float], None] = rest,
    ) -> None:
        self._channel = channel
        self._session = session
        self._retries = retries
        self._timeout = timeout
        self._sleep = sleep

    def unary_unary(self, method: str, request: betterproto2.Message, reply: type[R], *, timeout: float | None) -> R:
        """Returns the reply, after as many attempts as the policy and the deadline allow."""
        rpc = self._channel.unary_unary(method, bytes, reply.parse)
        ready = with_request_id(request)
        attempts = Attempts(policy=self._retries, timeout=timeout or self._timeout)
        while True:
            try:
                answer, call = rpc.with_call(ready, timeout=attempts.begin(), metadata=self._session.metadata())
            except grpc.RpcError as failure:
                self._sleep(attempts.delay_after(failure))
            else:
                self._session.learn(call.trailing_metadata())
                ready_answer: R = answer
                return ready_answer

    def unary_stream(
        self, method: str, request: betterproto2.Message, reply: type[R], *, timeout: float | None
    ) -> Iterator[R]:
        """Yields the replies; makes the call again only while the first has not come."""
        rpc = self._channel.unary_stream(method, bytes, reply.parse)
        attempts = Attempts(policy=self._retries, timeout=timeout)
        begun = False
        while True:
            call = rpc(request, timeout=attempts.begin(), metadata=self._session.metadata())
            try:
                for element in call:
                    begun = True
                    yield element
            except grpc.RpcError as failure:
                if begun:
                    raise from_call(failure) from failure
                self._sleep(attempts.delay_after(failure))
            else:
                return
            finally:
                call.cancel()

    def stream_unary(
        self, method: str, requests: Iterable[betterproto2.Message], reply: type[R], *, timeout: float | None
    ) -> R:
        """Returns the reply to a stream, which is sent once."""
        rpc = self._channel.stream_unary(method, bytes, reply.parse)
        try:
            answer, call = rpc.with_call(iter(requests), timeout=timeout, metadata=self._session.metadata())
        except grpc.RpcError as failure:
            raise from_call(failure) from failure
        self._session.learn(call.trailing_metadata())
        ready_answer: R = answer
        return ready_answer

    def stream_stream(
        self, method: str, requests: Iterable[betterproto2.Message], reply: type[R], *, timeout: float | None
    ) -> Iterator[R]:
        """Yields the replies to a stream, which is sent once."""
        rpc = self._channel.stream_stream(method, bytes, reply.parse)
        call = rpc(iter(requests), timeout=timeout, metadata=self._session.metadata())
        try:
            yield from call
            self._session.learn(call.trailing_metadata())
        except grpc.RpcError as failure:
            raise from_call(failure) from failure
        finally:
            call.cancel()

    def pages(self, ask: Callable[[Q], P], request: Q, items: Callable[[P], list[T]]) -> Iterator[T]:
        """Yields the items of all pages from the request's own page on."""
        ready: Q | None = request
        while ready is not None:
            page = ask(ready)
            yield from items(page)
            ready = next_page(ready, page.next_page_token)

    def again_later(self, failures: int) -> None:
        """Waits before something is tried again that failed so many times in a row."""
        self._sleep(self._retries.backoff(failures))
