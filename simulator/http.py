"""Simulator, HTTP words: a request as it came, an answer as it goes, and the ways an answer can fail to come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

ANSWER: Final = "answer"
SILENCE: Final = "silence"
CLOSE: Final = "close"
RESET: Final = "reset"

JSON: Final = "application/json; charset=UTF-8"

_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One request as it came: the path is still percent-encoded, header names are lower-case."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str:
        """Returns a header's text, empty when it is absent."""
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(slots=True)
class Response:
    """One answer; `delay` is in real seconds, `ending` says whether it is sent at all."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    ending: str = ANSWER
    chunks: Iterator[bytes] | None = field(default=None, repr=False)


def head_of(response: Response, length: str, *, keep_alive: bool) -> bytes:
    """Returns the bytes before the body; `length` is the header that tells how long that is."""
    lines = [
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}",
        f"content-type: {response.content_type}",
        length,
    ]
    lines.extend(f"{name}: {value}" for name, value in response.headers)
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
