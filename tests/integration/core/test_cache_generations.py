"""Of more campaigns than are followed those in use are; of the others nothing is believed."""

from collections.abc import AsyncIterator

import pytest

from core.cache.breaker import Breaker
from core.cache.generations import Generations
from core.cache.outdating import Outdating
from core.cache.server import Server
from core.clock import SystemClock

_FOLLOWED = 512
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
