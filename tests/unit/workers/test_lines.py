"""The lines on which calls are open, shared among senders."""

import asyncio
from uuid import UUID

from workers.lines import Lines

_ONE, _TWO, _THREE = UUID(int=1), UUID(int=2), UUID(int=3)


async def _fill(lines: Lines, sender_id: UUID) -> int:
    """Takes lines until one would have to wait; returns how many there were."""
    taken = 0
    while True:
        waiting = asyncio.ensure_future(lines.take(sender_id, stopping=asyncio.Event()))
        done, _ = await asyncio.wait({waiting}, timeout=0.01)
        if not done:
            waiting.cancel()
            await asyncio.wait({waiting})
            return taken
        assert await waiting
        taken += 1


async def test_alone_a_sender_gets_four_fifths_and_leaves_as_much_of_the_rest_to_each_that_comes() -> None:
    lines = Lines(500)
    assert [await _fill(lines, one) for one in (_ONE, _TWO, _THREE)] == [400, 80, 16]


async def test_even_a_single_line_is_lent() -> None:
    assert await _fill(Lines(1), _ONE) == 1


async def test_what_is_given_back_goes_to_who_holds_fewer_though_another_waited_longer() -> None:
    lines, stopping = Lines(5), asyncio.Event()
    assert await _fill(lines, _ONE) == 4
    assert await _fill(lines, _TWO) == 1
    first = asyncio.ensure_future(lines.take(_ONE, stopping=stopping))
    second = asyncio.ensure_future(lines.take(_TWO, stopping=stopping))
    await asyncio.wait({first, second}, timeout=0.01)
    lines.give_back(_ONE)
    done, _ = await asyncio.wait({first, second}, timeout=0.1)
    assert done == {second}
    lines.give_back(_ONE)
    assert await first


async def test_who_stops_waiting_leaves_no_line_behind() -> None:
    lines, stopping = Lines(1), asyncio.Event()
    assert await lines.take(_ONE, stopping=stopping)
    waiting = asyncio.ensure_future(lines.take(_TWO, stopping=stopping))
    await asyncio.wait({waiting}, timeout=0.01)
    stopping.set()
    lines.give_back(_ONE)
    assert not await waiting
    assert await _fill(lines, _THREE) == 1


async def test_it_is_told_how_many_are_lent_and_waited_for() -> None:
    lines, stopping = Lines(5), asyncio.Event()
    assert await _fill(lines, _ONE) == 4
    waiting = asyncio.ensure_future(lines.take(_ONE, stopping=stopping))
    await asyncio.wait({waiting}, timeout=0.01)
    assert (lines.count, lines.used, lines.waiting) == (5, 4, 1)
    stopping.set()
    await waiting
    assert (lines.used, lines.waiting) == (4, 0)
