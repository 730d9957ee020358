"""The pace on a real server: shared by all who ask, slowed by throttling, and alone when Redis is away."""

import asyncio
from uuid import UUID

import pytest
from redis.asyncio import Redis

from core.clock import SystemClock
from core.domain.pacing import HORIZON_SECONDS, Permits
from core.pace import LOCAL_SHARE, Lane, Pace
from stack.valkey import Valkey
from tests.helpers.clocks import StillClock
from tests.helpers.frozen import frozen

CLOCK = SystemClock()
LANE = Lane.of_sender(UUID(int=1), 100.0)


def slots(permits: Permits) -> list[float]:
    return [permits.slot(index) for index in range(permits.count)]


async def test_workers_that_ask_at_once_share_one_pace(queue_url: str) -> None:
    paces = [Pace.connect(queue_url, clock=CLOCK) for _ in range(4)]
    permits = await asyncio.gather(*(pace.reserve(LANE, 20) for pace in paces))
    taken = sorted(slot for one in permits for slot in slots(one))
    # Half a second is planned at most: some 50 slots, 10 ms apart but for the way of the answers.
    assert 50 <= len(taken) <= 52
    assert taken[-1] - taken[0] >= HORIZON_SECONDS - 0.05
    await asyncio.gather(*(pace.close() for pace in paces))


async def test_no_more_than_half_a_second_is_planned(queue_url: str) -> None:
    pace = Pace.connect(queue_url, clock=CLOCK)
    assert 50 <= (await pace.reserve(LANE, 1000)).count <= 51
    assert (await pace.reserve(LANE, 1000)).count <= 2
    await pace.close()


async def test_given_back_slots_are_free(queue_url: str) -> None:
    pace = Pace.connect(queue_url, clock=CLOCK)
    first = await pace.reserve(LANE, 40)
    await pace.give_back(LANE, first, 30)
    assert (await pace.reserve(LANE, 50)).count >= 39
    await pace.close()


async def test_a_throttled_sender_is_held_and_then_half_as_fast(queue_url: str) -> None:
    pace = Pace.connect(queue_url, clock=CLOCK)
    await pace.throttle(LANE)
    held = await pace.reserve(LANE, 10)
    assert held.count == 0
    assert 0.5 < held.wait <= 1.0
    other = Pace.connect(queue_url, clock=CLOCK)
    assert (await other.reserve(LANE, 10)).count == 0
    await asyncio.gather(pace.close(), other.close())


async def test_a_held_lane_gives_nothing_for_so_long_and_keeps_its_pace(queue_url: str) -> None:
    pace, alone = Pace.connect(queue_url, clock=CLOCK), Pace.connect("redis://127.0.0.1:1/0", clock=CLOCK)
    for one in (pace, alone):
        await one.hold(LANE, 1800.0)
        await one.hold(LANE, 60.0)
        held = await one.reserve(LANE, 10)
        assert held.count == 0
        assert 1790.0 < held.wait <= 1800.0
        assert held.interval < 0.03
    assert await pace.is_slowed(LANE)
    # The lane is remembered for longer than it is held.
    async with Redis.from_url(queue_url) as redis:
        assert await redis.pttl(LANE.key) > 1_800_000
    await asyncio.gather(pace.close(), alone.close())


async def test_a_pace_of_less_than_a_message_an_hour_is_remembered_until_its_next_slot(queue_url: str) -> None:
    pace, seldom = Pace.connect(queue_url, clock=CLOCK), Lane.of_campaign(UUID(int=4), 1 / 7200)
    assert (await pace.reserve(seldom, 10)).count == 1
    async with Redis.from_url(queue_url) as redis:
        assert await redis.pttl(seldom.key) > 7_200_000
    # As good as never: no number that Redis would not take.
    never = Lane.of_campaign(UUID(int=5), 1e-300)
    assert [(await pace.reserve(never, 1)).count for _ in range(2)] == [1, 0]
    assert not pace.alone
    await pace.close()


async def test_a_pace_that_is_raised_need_not_wait_for_the_next_slot_of_the_slow_one(queue_url: str) -> None:
    for url in (queue_url, "redis://127.0.0.1:1/0"):
        pace = Pace.connect(url, clock=CLOCK)
        assert (await pace.reserve(Lane.of_campaign(UUID(int=6), 1 / 7200), 1)).count == 1
        raised = await pace.reserve(Lane.of_campaign(UUID(int=6), 100.0), 1)
        assert raised.count == 1
        assert raised.start - CLOCK.monotonic() < 0.03
        await pace.close()


async def test_a_pace_that_was_slow_for_a_moment_gives_no_slot_twice(queue_url: str) -> None:
    for url in (queue_url, "redis://127.0.0.1:1/0"):
        pace = Pace.connect(url, clock=CLOCK)
        first = await pace.reserve(Lane.of_campaign(UUID(int=7), 100.0), 40, within=0.3)
        slow = Lane.of_campaign(UUID(int=7), 1.0)
        unused = await pace.reserve(slow, 1)
        assert unused.count == 1
        await pace.give_back(slow, unused, 1)
        again = await pace.reserve(Lane.of_campaign(UUID(int=7), 100.0), 1)
        assert again.start > slots(first)[-1]
        await pace.close()


async def test_a_throttle_halves_the_pace_of_a_held_lane_and_does_not_end_its_hold(queue_url: str) -> None:
    pace, alone = Pace.connect(queue_url, clock=CLOCK), Pace.connect("redis://127.0.0.1:1/0", clock=CLOCK)
    for one in (pace, alone):
        before = (await one.reserve(LANE, 1)).interval
        await one.hold(LANE, 1800.0)
        await one.throttle(LANE)
        held = await one.reserve(LANE, 10)
        assert held.count == 0
        assert 1790.0 < held.wait <= 1800.0
        assert held.interval == pytest.approx(2 * before, rel=0.01)
    await asyncio.gather(pace.close(), alone.close())


async def test_without_redis_a_careful_share_goes_on(queue_url: str) -> None:
    pace = Pace.connect("redis://127.0.0.1:1/0", clock=CLOCK)
    permits = await pace.reserve(LANE, 1000)
    assert pace.alone
    assert 0 < permits.count <= 100 * LOCAL_SHARE * HORIZON_SECONDS + 1
    await pace.close()


async def test_one_of_many_numbers_finds_out_whether_a_redis_that_says_nothing_is_back(
    valkeys: tuple[Valkey, Valkey], queue_url: str
) -> None:
    clock = StillClock()
    pace = Pace.connect(queue_url, clock=clock)
    lanes = [Lane.of_sender(UUID(int=number), 100.0) for number in range(20)]
    with frozen(valkeys[0]):
        await pace.reserve(LANE, 1)
        clock.move(1.5)
        waits = await asyncio.gather(*(_seconds(pace, lane) for lane in lanes))
        assert sum(seconds > 0.2 for seconds in waits) == 1
    clock.move(1.5)
    assert (await pace.reserve(LANE, 1)).end > 0
    assert not pace.alone
    await pace.close()


async def _seconds(pace: Pace, lane: Lane) -> float:
    """Returns how long a reservation takes."""
    began = CLOCK.monotonic()
    await pace.reserve(lane, 1)
    return CLOCK.monotonic() - began


async def test_a_person_is_written_to_at_most_forty_five_times_in_a_burst(queue_url: str) -> None:
    pace = Pace.connect(queue_url, clock=CLOCK)
    waits = await pace.wait_for_pairs(sender_id=UUID(int=1), contact_ids=[UUID(int=2)] * 48)
    assert waits[:45] == (0.0,) * 45
    # One behind the other: back all at once, they would be claimed and put back every six seconds, again and again.
    assert waits[45:] == pytest.approx((6.0, 12.0, 18.0), abs=1.0)
    other = await pace.wait_for_pairs(sender_id=UUID(int=1), contact_ids=[UUID(int=3)])
    assert other == (0.0,)
    await pace.close()
