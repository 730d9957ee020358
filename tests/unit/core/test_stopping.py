"""Being told to stop cuts off what is under way; what fails by then is no failure of the process."""

import asyncio

import pytest

from core.stopping import unless


async def wait_and_fail() -> str:
    try:
        await asyncio.Event().wait()
    finally:
        raise ConnectionError


async def fail() -> str:
    raise ConnectionError


async def work() -> str:
    return "done"


async def test_what_fails_while_it_is_cut_off_fails_nobody() -> None:
    stopping = asyncio.Event()
    waiting = asyncio.ensure_future(unless(stopping, wait_and_fail()))
    asyncio.get_running_loop().call_soon(stopping.set)
    assert await waiting is None


async def test_what_fails_in_the_moment_of_being_told_fails_nobody() -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert await unless(stopping, fail()) is None


async def test_what_fails_before_being_told_is_raised() -> None:
    with pytest.raises(ConnectionError):
        await unless(asyncio.Event(), fail())


async def test_what_was_done_by_then_counts() -> None:
    stopping = asyncio.Event()
    stopping.set()
    assert await unless(stopping, work()) == "done"
