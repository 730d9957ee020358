"""The rest of a process waits while something goes first, and goes on when that ends, however it does."""

import asyncio

import pytest

from workers.precedence import Precedence


async def test_the_rest_waits_until_all_that_goes_first_has_ended() -> None:
    precedence = Precedence()
    with precedence.first():
        rest = asyncio.create_task(precedence.give())
        with precedence.first():
            pass
        _, waiting = await asyncio.wait([rest], timeout=0.05)
        assert waiting
    async with asyncio.timeout(0.5):
        await rest


async def test_it_waits_no_more_once_what_went_first_has_failed() -> None:
    precedence = Precedence()
    with pytest.raises(LookupError), precedence.first():
        raise LookupError
    async with asyncio.timeout(0.5):
        await precedence.give()


async def test_it_goes_on_between_if_that_does_not_end() -> None:
    precedence = Precedence()
    with precedence.first():
        async with asyncio.timeout(5):
            await precedence.give()
