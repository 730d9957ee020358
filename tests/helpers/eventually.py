"""Waiting for a condition instead of sleeping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from core.clock import SystemClock

_POLL_SECONDS = 0.02
T = TypeVar("T")


class NotInTimeError(AssertionError):
    """Says that a condition did not hold before its deadline, and what was seen last."""


@overload
async def eventually(condition: Callable[[], Awaitable[T]], timeout: float = 10.0, *, message: str = "") -> T: ...
@overload
async def eventually(condition: Callable[[], T], timeout: float = 10.0, *, message: str = "") -> T: ...
async def eventually(condition: Callable[[], Any], timeout: float = 10.0, *, message: str = "") -> Any:
    """Returns the condition's first true value; an AssertionError it raises counts as "not yet".

    Raises NotInTimeError after `timeout` seconds, with what was seen last.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + timeout
    while True:
        value, error = await _look(condition)
        if value:
            return value
        if clock.monotonic() > deadline:
            seen = f"last seen: {value!r}" if error is None else f"last error: {error}"
            raise NotInTimeError(f"{message or 'the condition'} did not hold within {timeout:g} s; {seen}") from error
        await asyncio.sleep(_POLL_SECONDS)  # noqa: TID251  # the one place where tests let time pass


async def _look(condition: Callable[[], Any]) -> tuple[Any, AssertionError | None]:
    try:
        value = condition()
        return (await value if inspect.isawaitable(value) else value), None
    except AssertionError as error:
        return None, error
