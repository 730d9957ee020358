"""With the cache or without, two replies differ only by age: against a real Valkey, which may go away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import grpc
import pytest
import redis.asyncio as redis
from chappe.v1 import (
    campaigns_pb2,
    campaigns_service_pb2,
    campaigns_service_pb2_grpc,
    categories_pb2,
    categories_pb2_grpc,
    stats_pb2,
    stats_service_pb2,
    stats_service_pb2_grpc,
)

from core.cache import Cache, CacheSnapshot, campaign_generation
from core.clock import SystemClock
from core.domain.errors import NotFound, Unavailable
from server.call import mark_final
from server.interceptors.base import Chain, Interceptor
from server.interceptors.cache import Caching
from server.interceptors.errors import Errors
from server.interceptors.validation import Validation
from server.policies import read_policies
from tests.helpers.clocks import StillClock
from tests.helpers.doors import Context, Reply, call, listening
from tests.helpers.eventually import eventually

Category = categories_pb2.Category
ONE, TWO = (f"0197f9a0-0000-7000-8000-00000000000{n}" for n in (1, 2))
NAME, CAMPAIGN = f"categories/{ONE}", f"campaigns/{ONE}"
CATEGORIES, STATS = "/chappe.v1.CategoriesService", "/chappe.v1.StatsService"


@dataclass
class Truth:
    """What the services read and change, in place of a database."""

    display_name: str = "first"
    reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    broken: Exception | None = None
    final: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def read(self) -> str:
        self.reads += 1
        seen = self.display_name
        self.reading.set()
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        return seen


class Categories(categories_pb2_grpc.CategoriesServiceServicer):
    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    async def GetCategory(self, request: categories_pb2.GetCategoryRequest, _context: Context) -> Category:  # noqa: N802
        return Category(name=request.name, display_name=await self._truth.read())

    async def UpdateCategory(self, request: categories_pb2.UpdateCategoryRequest, _context: Context) -> Category:  # noqa: N802
        self._truth.display_name = request.category.display_name
        if self._truth.broken is not None:
            raise self._truth.broken
        return request.category


class Campaigns(campaigns_service_pb2_grpc.CampaignsServiceServicer):
    async def PauseCampaign(  # noqa: N802
        self, request: campaigns_service_pb2.PauseCampaignRequest, _context: Context
    ) -> campaigns_pb2.Campaign:
        return campaigns_pb2.Campaign(name=request.name)


class Stats(stats_service_pb2_grpc.StatsServiceServicer):
    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    async def GetCampaignStats(  # noqa: N802
        self, request: stats_service_pb2.GetCampaignStatsRequest, _context: Context
    ) -> stats_pb2.CampaignStats:
        await self._truth.read()
        if self._truth.final:
            mark_final()
        return stats_pb2.CampaignStats(name=request.name, final=self._truth.final)


@asynccontextmanager
async def process(cache: Cache, truth: Truth) -> AsyncIterator[grpc.aio.Channel]:
    """Runs what one server process does between its callers, the cache and the truth."""
    files = (categories_pb2, campaigns_service_pb2, stats_service_pb2)
    policies = read_policies([service for file in files for service in file.DESCRIPTOR.services_by_name.values()])
    chain: list[Interceptor] = [Errors(), Caching(cache=cache, max_reply_bytes=1000), Validation()]
    server = grpc.aio.server(interceptors=[Chain(chain, policies=policies)])
    categories_pb2_grpc.add_CategoriesServiceServicer_to_server(Categories(truth), server)
    campaigns_service_pb2_grpc.add_CampaignsServiceServicer_to_server(Campaigns(), server)
    stats_service_pb2_grpc.add_StatsServiceServicer_to_server(Stats(truth), server)
    async with listening(server) as channel:
        yield channel


@pytest.fixture
def truth() -> Truth:
    return Truth()


@pytest.fixture
async def cache(cache_url: str) -> AsyncIterator[Cache]:
    async with Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as cache:
        yield cache


@pytest.fixture
async def channel(cache: Cache, truth: Truth) -> AsyncIterator[grpc.aio.Channel]:
    async with process(cache, truth) as channel:
        yield channel


async def get(channel: grpc.aio.Channel, **metadata: str) -> tuple[Reply, str]:
    """Reads the category; returns it and how the cache answered."""
    request = categories_pb2.GetCategoryRequest(name=NAME)
    pairs = [(name.replace("_", "-"), value) for name, value in metadata.items()]
    reply, trailing = await call(channel, f"{CATEGORIES}/GetCategory", request, Category, metadata=pairs)
    return reply, trailing["chappe-cache"]


async def rename(channel: grpc.aio.Channel, display_name: str) -> str:
    """Changes the category; returns the generations the caller is told."""
    request = categories_pb2.UpdateCategoryRequest(category=Category(name=NAME, display_name=display_name))
    _, trailing = await call(channel, f"{CATEGORIES}/UpdateCategory", request, Category)
    return str(trailing.get("chappe-generations", ""))


async def stats(channel: grpc.aio.Channel, campaign: str = ONE) -> str:
    request = stats_service_pb2.GetCampaignStatsRequest(name=f"campaigns/{campaign}/stats")
    _, trailing = await call(channel, f"{STATS}/GetCampaignStats", request, stats_pb2.CampaignStats)
    return str(trailing["chappe-cache"])


async def test_the_second_reply_is_the_first_byte_for_byte_and_asks_nobody(
    channel: grpc.aio.Channel, truth: Truth
) -> None:
    first, missed = await get(channel)
    second, hit = await get(channel)
    assert (missed, hit, truth.reads) == ("miss", "hit", 1)
    assert first.SerializeToString() == second.SerializeToString()


async def test_a_write_is_seen_by_the_next_read(channel: grpc.aio.Channel) -> None:
    await get(channel)
    await rename(channel, "second")
    reply, outcome = await get(channel)
    assert (reply.display_name, outcome) == ("second", "miss")


async def test_a_write_is_seen_by_every_process(channel: grpc.aio.Channel, cache_url: str, truth: Truth) -> None:
    async with (
        Cache(url=cache_url, clock=SystemClock(), timeout_seconds=2) as other,
        process(other, truth) as elsewhere,
    ):
        await get(elsewhere)
        assert (await get(channel))[1] == "hit"
        await rename(channel, "second")
        assert (await get(elsewhere))[0].display_name == "second"


async def test_a_reply_read_before_a_write_is_not_kept_after_it(channel: grpc.aio.Channel, truth: Truth) -> None:
    truth.gate.clear()
    slow = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    await rename(channel, "second")
    truth.gate.set()
    assert (await slow)[0].display_name == "first"  # it began before the write: its age is honest
    reply, outcome = await get(channel)
    assert (reply.display_name, outcome) == ("second", "miss")


async def test_a_read_that_begins_after_a_write_does_not_join_one_from_before(
    channel: grpc.aio.Channel, truth: Truth
) -> None:
    truth.gate.clear()
    before = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    await rename(channel, "second")
    after = asyncio.ensure_future(get(channel))
    truth.gate.set()
    assert [(await read)[0].display_name for read in (before, after)] == ["first", "second"]


async def test_fifty_equal_reads_at_once_are_one(channel: grpc.aio.Channel, truth: Truth, cache_url: str) -> None:
    async with redis.Redis.from_url(cache_url) as server:

        async def all_looked() -> bool:
            asked = (await server.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})
            return bool(asked["calls"] >= 50)

        await server.config_resetstat()
        truth.gate.clear()
        reads = [asyncio.ensure_future(get(channel)) for _ in range(50)]
        assert await eventually(all_looked)
    truth.gate.set()
    outcomes = [outcome for _, outcome in await asyncio.gather(*reads)]
    assert (truth.reads, outcomes.count("miss")) == (1, 1)


async def test_a_cancelled_leader_leaves_its_followers_an_answer(channel: grpc.aio.Channel, truth: Truth) -> None:
    truth.gate.clear()
    leader = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    followers = [asyncio.ensure_future(get(channel)) for _ in range(5)]
    leader.cancel()
    truth.gate.set()
    assert {reply.display_name for reply, _ in await asyncio.gather(*followers)} == {"first"}


@pytest.mark.parametrize("error", [NotFound("CATEGORY_NOT_FOUND", "None."), Unavailable("AWAY", "No."), ValueError()])
async def test_errors_are_not_kept(channel: grpc.aio.Channel, truth: Truth, error: Exception) -> None:
    truth.broken = error
    with pytest.raises(grpc.aio.AioRpcError):
        await get(channel)
    truth.broken = None
    assert (await get(channel))[0].display_name == "first"


async def test_an_invalid_request_is_refused_every_time(channel: grpc.aio.Channel) -> None:
    for _ in range(2):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, f"{CATEGORIES}/GetCategory", categories_pb2.GetCategoryRequest(name="x"), Category)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_large_reply_is_not_kept(channel: grpc.aio.Channel, truth: Truth) -> None:
    truth.display_name = "x" * 2000
    assert [(await get(channel))[1] for _ in range(2)] == ["miss", "miss"]


async def test_no_cache_reads_past_it(channel: grpc.aio.Channel, truth: Truth) -> None:
    await get(channel)
    truth.display_name = "behind its back"
    reply, outcome = await get(channel, cache_control="no-cache")
    assert (reply.display_name, outcome) == ("behind its back", "bypass")


async def test_a_caller_who_has_seen_a_later_write_is_not_shown_an_older_reply(
    channel: grpc.aio.Channel, truth: Truth
) -> None:
    seen = await rename(channel, "second")
    assert seen.startswith("categories=")
    await get(channel)
    assert (await get(channel, chappe_generations=seen))[1] == "hit"
    ahead = f"categories={int(seen.partition('=')[2].partition(',')[0]) + 1}"
    assert (await get(channel, chappe_generations=ahead))[1] == "bypass"


@pytest.mark.parametrize("odd", ["categories", "categories=-1", "=,=,", "categories=x", "nothing=9"])
async def test_odd_generations_from_a_caller_do_no_harm(channel: grpc.aio.Channel, odd: str) -> None:
    await get(channel)
    assert (await get(channel, chappe_generations=odd))[1] == "hit"


async def test_what_is_final_is_kept_longer_and_what_runs_shortly(
    channel: grpc.aio.Channel, truth: Truth, cache_url: str
) -> None:
    await stats(channel, ONE)
    truth.final = True
    await stats(channel, TWO)
    async with redis.Redis.from_url(cache_url) as server:
        keys = [key async for key in server.scan_iter("cache:/*")]
        lives = sorted([await server.pttl(key) for key in keys])
    assert 1_500 < lives[0] <= 2_000
    assert 3_200_000 < lives[1] <= 3_600_000


async def test_a_change_of_one_campaign_outdates_that_campaign_alone(
    channel: grpc.aio.Channel, cache: Cache, truth: Truth
) -> None:
    truth.final = True
    for campaign in (ONE, TWO):
        await stats(channel, campaign)
    await cache.outdate([campaign_generation(UUID(ONE))])  # as a worker does for a late receipt
    assert [await stats(channel, campaign) for campaign in (ONE, TWO)] == ["miss", "hit"]


async def test_the_cache_touches_no_key_but_its_own_and_every_reply_has_an_end(
    channel: grpc.aio.Channel, cache_url: str
) -> None:
    await get(channel)
    await stats(channel)
    await rename(channel, "second")
    async with redis.Redis.from_url(cache_url) as server:
        lives = {key: await server.pttl(key) async for key in server.scan_iter("*")}
    assert all(key.startswith(b"cache:") for key in lives)
    assert all(life > 0 for key, life in lives.items() if not key.startswith(b"cache:generation:"))


async def test_generations_that_were_lost_never_come_back(channel: grpc.aio.Channel, cache_url: str) -> None:
    first = await rename(channel, "second")
    async with redis.Redis.from_url(cache_url) as server:
        await server.flushall()
    second = await rename(channel, "third")
    assert int(second.split("=")[1].split(",")[0]) > int(first.split("=")[1].split(",")[0])


async def test_hits_and_misses_are_counted_by_method(channel: grpc.aio.Channel, cache: Cache) -> None:
    for _ in range(4):
        await get(channel)
    await get(channel, cache_control="no-cache")
    snapshot: CacheSnapshot = cache.metrics.snapshot()
    counts = snapshot.methods[0]
    assert counts.method == "chappe.v1.CategoriesService/GetCategory"
    assert (counts.hit, counts.miss, counts.stale, counts.bypass) == (3, 1, 0, 1)
    assert (snapshot.hit_ratio, snapshot.available) == (0.75, True)


class Proxy:
    """Stands between the service and Valkey, so that Valkey can be taken away and given back."""

    def __init__(self, url: str) -> None:
        self._upstream = url.rpartition("@")[2].partition("/")[0]
        self._password = url.partition("://")[2].partition("@")[0]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.is_deaf = False

    @property
    def url(self) -> str:
        return f"redis://{self._password}@127.0.0.1:{self.port}/0"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._upstream.split(":")
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(port))
        self._writers |= {writer, upstream_writer}
        await asyncio.gather(self._pass(reader, upstream_writer), self._pass(upstream_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if not self.is_deaf:
                    writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture
async def proxy(cache_url: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(cache_url)
    await proxy.open()
    yield proxy
    await proxy.close()


async def test_with_redis_gone_everything_is_answered_and_with_redis_back_it_is_used_again(
    proxy: Proxy, truth: Truth
) -> None:
    clock = StillClock()
    async with Cache(url=proxy.url, clock=clock, timeout_seconds=1) as cache, process(cache, truth) as channel:
        assert [(await get(channel))[1] for _ in range(2)] == ["miss", "hit"]
        await proxy.close()
        assert [(await get(channel))[1] for _ in range(8)] == ["miss"] * 8
        assert not cache.metrics.snapshot().available
        await proxy.open()
        assert (await get(channel))[1] == "miss"  # it still rests
        clock.move(6)
        assert [(await get(channel))[1] for _ in range(2)] == ["hit", "hit"]
        assert cache.metrics.snapshot().available


async def test_a_write_while_redis_is_gone_is_remembered_and_the_old_reply_never_shown(
    proxy: Proxy, truth: Truth
) -> None:
    async with Cache(url=proxy.url, clock=StillClock(), timeout_seconds=1) as cache, process(cache, truth) as channel:
        await get(channel)
        await proxy.close()
        assert await rename(channel, "second") == ""
        assert (await get(channel))[0].display_name == "second"
        await proxy.open()
        reply, outcome = await get(channel)
        assert (reply.display_name, outcome) == ("second", "miss")


async def test_a_write_whose_outcome_is_unknown_outdates_too(channel: grpc.aio.Channel, truth: Truth) -> None:
    await get(channel)
    truth.broken = Unavailable("DATABASE_UNAVAILABLE", "The answer to the commit was lost.")
    with pytest.raises(grpc.aio.AioRpcError):
        await rename(channel, "second")
    truth.broken = None
    assert (await get(channel))[0].display_name == "second"


async def test_a_redis_that_does_not_answer_costs_a_read_its_timeout_and_no_more(proxy: Proxy, truth: Truth) -> None:
    async with (
        Cache(url=proxy.url, clock=SystemClock(), timeout_seconds=0.05) as cache,
        process(cache, truth) as channel,
    ):
        await get(channel)
        proxy.is_deaf = True
        clock = SystemClock()
        start = clock.monotonic()
        replies = [await get(channel) for _ in range(20)]
        assert {reply.display_name for reply, _ in replies} == {"first"}
        assert clock.monotonic() - start < 1.0  # five timeouts, then the breaker spares the rest
