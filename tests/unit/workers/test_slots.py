"""The calls open at once, shared among senders."""

import asyncio
from uuid import UUID

from workers.slots import CallSlots

_ONE, _TWO, _THREE = UUID(int=1), UUID(int=2), UUID(int=3)


async def _fill(slots: CallSlots, sender_id: UUID) -> int:
    """Takes slots until one would have to wait; returns how many there were."""
    taken = 0
    while True:
        waiting = asyncio.ensure_future(slots.take(sender_id, stopping=asyncio.Event()))
        done, _ = await asyncio.wait({waiting}, timeout=0.01)
        if not done:
            waiting.cancel()
            await asyncio.wait({waiting})
            return taken
        assert await waiting
        taken += 1


async def test_alone_a_sender_gets_four_fifths_and_leaves_as_much_of_the_rest_to_each_that_comes() -> None:
    slots = CallSlots(500)
    assert [await _fill(slots, one) for one in (_ONE, _TWO, _THREE)] == [400, 80, 16]


async def test_even_a_single_slot_is_lent() -> None:
    assert await _fill(CallSlots(1), _ONE) == 1


async def test_what_is_given_back_goes_to_who_holds_fewer_though_another_waited_longer() -> None:
    slots, stopping = CallSlots(5), asyncio.Event()
    assert await _fill(slots, _ONE) == 4
    assert await _fill(slots, _TWO) == 1
    first = asyncio.ensure_future(slots.take(_ONE, stopping=stopping))
    second = asyncio.ensure_future(slots.take(_TWO, stopping=stopping))
    await asyncio.wait({first, second}, timeout=0.01)
    slots.give_back(_ONE)
    done, _ = await asyncio.wait({first, second}, timeout=0.1)
    assert done == {second}
    slots.give_back(_ONE)
    assert await first


async def test_who_stops_waiting_leaves_no_slot_behind() -> None:
    slots, stopping = CallSlots(1), asyncio.Event()
    assert await slots.take(_ONE, stopping=stopping)
    waiting = asyncio.ensure_future(slots.take(_TWO, stopping=stopping))
    await asyncio.wait({waiting}, timeout=0.01)
    stopping.set()
    slots.give_back(_ONE)
    assert not await waiting
    assert await _fill(slots, _THREE) == 1
