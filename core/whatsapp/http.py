"""HTTP to the Cloud API: tells an answer from a call that never left and from one whose answer was lost."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import NamedTuple, Self

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import (
    PoolTimeoutError,
    PyreqwestError,
    RequestError,
)
from pyreqwest.http import HeaderMap
from pyreqwest.request import RequestBuilder

# The one message by which the transport says that it failed while it was still connecting. Its exception classes do
# not tell: a connection cut in the middle of a request is a ConnectError, too.
_WHILE_CONNECTING = "client error (Connect)"
_OK = 200
_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 15.0


class Answer(NamedTuple):
    """What a server answered, whole; headers, their names in lower case, are kept unless it answered 200."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class NeverLeftError(Exception):
    """No byte of the request can have left: refused, no such host, TLS, no free connection."""


class AnswerLostError(Exception):
    """The request may have arrived: time ran out, or the connection broke, before the answer was whole."""


class Http:
    """A pool of connections to the Cloud API; use as an async context manager."""

    def __init__(self, *, timeout_seconds: float, max_connections: int) -> None:
        """Takes how long a call may take as a whole, and how many may be open at once."""
        self._timeout = timedelta(seconds=timeout_seconds)
        self._connect_timeout = timedelta(seconds=min(_CONNECT_SECONDS, timeout_seconds))
        self._max_connections = max_connections
        self._client: Client | None = None

    async def __aenter__(self) -> Self:
        self._client = (
            ClientBuilder()
            .timeout(self._timeout)
            .connect_timeout(self._connect_timeout)
            .pool_timeout(self._connect_timeout)
            .pool_idle_timeout(timedelta(seconds=_IDLE_SECONDS))
            .max_connections(self._max_connections)
            .follow_redirects(enable=False)
            .tcp_nodelay(enabled=True)
            .build()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def post(self, url: str, *, token: str, body: bytes) -> Answer:
        """Posts JSON and returns the answer; raises NeverLeftError or AnswerLostError."""
        request = self._open_client().post(url).header("content-type", "application/json").body_bytes(body)
        return await _answer(request.bearer_auth(token))

    async def get(self, url: str, *, token: str, query: Mapping[str, str]) -> Answer:
        """Reads and returns the answer; raises NeverLeftError or AnswerLostError."""
        return await _answer(self._open_client().get(url).query(dict(query)).bearer_auth(token))

    def _open_client(self) -> Client:
        if self._client is None:
            raise RuntimeError("The HTTP pool is used outside its context manager.")
        return self._client


async def _answer(request: RequestBuilder) -> Answer:
    try:
        response = await request.build().send()
        # What takes a message says nothing in its headers that anybody reads.
        headers = {} if response.status == _OK else _texts(response.headers)
        return Answer(response.status, bytes(await response.bytes()), headers)
    except PoolTimeoutError:
        raise NeverLeftError("no free connection") from None
    except RequestError as error:
        raise _explained(error) from None
    except PyreqwestError as error:
        raise NeverLeftError(type(error).__name__) from None


def _texts(headers: HeaderMap) -> dict[str, str]:
    """Returns headers by their names in lower case, without those whose values are no ASCII: nobody reads these."""
    texts: dict[str, str] = {}
    for name in headers:
        with suppress(ValueError):
            texts[name.lower()] = headers[name]
    return texts


def _explained(error: RequestError) -> NeverLeftError | AnswerLostError:
    # The texts name hosts and system errors, never the body or the token; the first one repeats the URL.
    causes = [cause["message"] for cause in error.details["causes"] or ()]
    if _WHILE_CONNECTING in causes:
        return NeverLeftError(causes[-1])
    return AnswerLostError(causes[-1] if causes else type(error).__name__)
