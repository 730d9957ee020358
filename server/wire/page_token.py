"""Page tokens: where a list goes on, tied to the other arguments of the request that began it."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

import orjson
from google.protobuf.message import Message

from core.domain.errors import InvalidArgument, Violation
from core.domain.ids import parse_id

DEFAULT_SIZE = 50
LARGEST_SIZE = 1000
_DIGEST_BYTES = 12
_LONGEST_TOKEN = 4096


class _ListRequest(Protocol):
    page_size: int
    page_token: str


class _Identified(Protocol):
    @property
    def id(self) -> UUID: ...


_Row = TypeVar("_Row", bound=_Identified)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Says how many rows are wanted, and after which key."""

    size: int
    after: tuple[str, ...] | None

    @property
    def after_id(self) -> UUID | None:
        """The key as an id, for lists ordered by id alone; refuses a forged token."""
        if self.after is None:
            return None
        if len(self.after) != 1:
            raise refuse_token()
        return read_id(self.after[0])


def read_page(request: Message) -> Page:
    """Reads page_size (0 is 50, over 1000 is 1000) and page_token.

    Refuses a negative size with ``PAGE_SIZE_INVALID`` and a token that is not ours, or that another request got, with
    ``PAGE_TOKEN_INVALID``.
    """
    asked = cast("_ListRequest", request)
    if asked.page_size < 0:
        raise _refusal("page_size", "PAGE_SIZE_INVALID", "A page cannot have fewer than zero rows.")
    size = min(asked.page_size or DEFAULT_SIZE, LARGEST_SIZE)
    after = _decode(asked.page_token, _digest(request)) if asked.page_token else None
    return Page(size=size, after=after)


def key_of_id(row: _Identified) -> tuple[str, ...]:
    """Returns the key of a row in a list ordered by id alone."""
    return (str(row.id),)


def cut(
    request: Message, page: Page, found: Sequence[_Row], *, key: Callable[[_Row], tuple[str, ...]] = key_of_id
) -> tuple[Sequence[_Row], str]:
    """Returns the rows of the page and the token of the next; a row more than the page has says that there is one."""
    shown = found[: page.size]
    return shown, next_token(request, last=key(shown[-1])) if len(found) > page.size else ""


def next_token(request: Message, *, last: tuple[str, ...]) -> str:
    """Writes the token of the page after the row whose key is ``last``."""
    return base64.urlsafe_b64encode(_digest(request) + orjson.dumps(last)).rstrip(b"=").decode()


def read_id(part: str) -> UUID:
    """Reads a part of a key that is an id; refuses a forged token with ``PAGE_TOKEN_INVALID``."""
    try:
        return parse_id(part)
    except InvalidArgument:
        raise refuse_token() from None


def refuse_token() -> InvalidArgument:
    """Returns the refusal of a token that is not ours, or that another request got."""
    text = "The page token belongs to another request; start again without one and keep the other arguments the same."
    return _refusal("page_token", "PAGE_TOKEN_INVALID", text)


def _digest(request: Message) -> bytes:
    others = type(request)()
    others.CopyFrom(request)
    others.ClearField(cast("Any", "page_size"))
    others.ClearField(cast("Any", "page_token"))
    text = request.DESCRIPTOR.full_name.encode() + b"\0" + others.SerializeToString(deterministic=True)
    return hashlib.sha256(text).digest()[:_DIGEST_BYTES]


def _decode(token: str, digest: bytes) -> tuple[str, ...]:
    if len(token) > _LONGEST_TOKEN:
        raise refuse_token()
    try:
        raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        key = orjson.loads(raw[_DIGEST_BYTES:])
    except (binascii.Error, ValueError):
        raise refuse_token() from None
    if raw[:_DIGEST_BYTES] != digest or not _is_key(key):
        raise refuse_token()
    return tuple(key)


def _is_key(key: object) -> bool:
    """PostgreSQL takes any text but one with a NUL."""
    return isinstance(key, list) and bool(key) and all(isinstance(part, str) and "\0" not in part for part in key)


def _refusal(field: str, reason: str, text: str) -> InvalidArgument:
    return InvalidArgument(reason, text, violations=[Violation(field=field, description=text, reason=reason)])
