"""Of more campaigns than are followed those in use are; of the others nothing is believed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.breaker import Breaker
from core.cache import Cache, Entry
from core.cache.generations import Generations
from core.cache.outdating import Outdating
from core.cache.server import Server
from core.clock import SystemClock
from stack.valkey import Valkey
from tests.helpers.clocks import StillClock
from tests.helpers.eventually import eventually
from tests.helpers.processes import freeze, thaw

_FOLLOWED = 512
_BUSY, _CALM = 0.025, 0.045
HOT, COLD, NEW = "campaigns/hot", "campaigns/cold", "campaigns/new"
OTHERS = [f"campaigns/{number}" for number in range(_FOLLOWED - 3)]


@pytest.fixture
async def server(cache_url: str) -> AsyncIterator[Server]:
    clock = SystemClock()
    server = Server(url=cache_url, clock=clock, timeout_seconds=5, breaker=Breaker(clock=clock))
    yield server
    await server.close()


@pytest.fixture
def generations(server: Server) -> Generations:
    return Generations(server=server, clock=SystemClock())


@pytest.fixture
def outdating(server: Server, generations: Generations) -> Outdating:
    return Outdating(server=server, tell=generations.learn)


async def test_the_campaign_not_heard_of_for_longest_is_followed_no_more(
    generations: Generations, outdating: Outdating
) -> None:
    first = await outdating.outdate(["categories", HOT, COLD, *OTHERS])
    generations.learn({HOT: first[HOT]})  # as each look at Redis does
    new = await outdating.outdate([NEW])
    await generations.ask()
    assert generations.stand({HOT: first[HOT], "categories": first["categories"], NEW: new[NEW]})
    assert generations.stand({name: first[name] for name in OTHERS})
    assert not generations.stand({COLD: first[COLD]})
    generations.learn({COLD: first[COLD]})
    assert generations.stand({COLD: first[COLD]})


async def test_an_answer_that_comes_after_its_campaign_was_dropped_is_not_believed(
    generations: Generations, outdating: Outdating, valkeys: tuple[Valkey, Valkey]
) -> None:
    old = await outdating.outdate([COLD])
    await outdating.outdate([HOT, NEW, *OTHERS])
    await generations.ask()  # the next one has its connection, so that its answer comes before that of the one after it
    freeze(valkeys[1].process)
    try:
        first = asyncio.ensure_future(generations.ask())
        await asyncio.wait([first], timeout=0)
        generations.learn({COLD: old[COLD] + 1})  # the answer under way does not know of it
        generations.learn({f"campaigns/later-{number}": 1 for number in range(_FOLLOWED)})
        second = asyncio.ensure_future(generations.ask())
        await asyncio.wait([second], timeout=0)
    finally:
        thaw(valkeys[1].process)
    await asyncio.gather(first, second)
    assert not generations.stand({COLD: old[COLD]})


async def test_it_is_asked_half_as_often_while_answers_come_soon(
    server: Server, valkeys: tuple[Valkey, Valkey]
) -> None:
    clock = StillClock()
    generations = Generations(server=server, clock=clock)
    generations.learn({HOT: 1})
    await Outdating(server=server, tell=generations.learn).outdate([HOT])
    await generations.ask()
    assert generations.ask_seconds == _CALM
    freeze(valkeys[1].process)
    try:
        asked = asyncio.ensure_future(generations.ask())
        await asyncio.wait([asked], timeout=0)
        assert generations.ask_seconds == _BUSY
        clock.move(0.03)
    finally:
        thaw(valkeys[1].process)
    await asked
    assert generations.ask_seconds == _BUSY
    await generations.ask()
    assert generations.ask_seconds == _CALM


async def test_what_was_not_followed_when_it_was_found_is_soon_asked_for_again(cache_url: str) -> None:
    """Since the answer that is believed may be about the others alone, and a write may have come before the next."""
    entry = Entry(method="/chappe.v1.Some/Get", request=b"1", collections=(NEW,))
    clock = StillClock()
    async with (
        Cache(url=cache_url, clock=clock, timeout_seconds=5) as made,
        Cache(url=cache_url, clock=clock, timeout_seconds=5) as found,
    ):
        await made.outdate([NEW])
        looked = await made.look(entry, refresh_seconds=0)
        await made.keep(entry, looked, reply=b"kept", ttl_seconds=60, refresh_seconds=0)
        assert (await found.look(entry, refresh_seconds=0)).reply == b"kept"
        clock.move(0.15)
        await eventually(lambda: _judged(found, entry) == "miss", 5)
        assert (await found.look(entry, refresh_seconds=0)).reply == b"kept"
        clock.move(0.15)
        await eventually(lambda: _judged(found, entry) == "hit", 5)


def _judged(cache: Cache, entry: Entry) -> str:
    return cache.recall(entry.method, entry.request, seen="")[0]
