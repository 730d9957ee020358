"""With the cache or without, two replies differ only by age: against a real Valkey, which may go away."""

import asyncio
from functools import partial
from uuid import UUID

import grpc
import pytest
import redis.asyncio as redis
from chappe.v1 import (
    categories_pb2,
)

from core.cache import Cache, CacheSnapshot, campaign_generation
from core.domain.errors import NotFound, Unavailable
from tests.helpers.cached import CAMPAIGN, CATEGORIES, ONE, TWO, Category, Truth, get, rename, stats
from tests.helpers.doors import call
from tests.helpers.eventually import eventually


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
    assert (reply.display_name, outcome) == ("second", "stale")


async def test_a_caller_who_sends_back_its_write_sees_it_in_every_process_at_once(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel
) -> None:
    await get(elsewhere)
    assert (await get(channel))[1] == "hit"
    seen = await rename(channel, "second")
    assert (await get(elsewhere, chappe_generations=seen))[0].display_name == "second"


async def test_what_a_write_changed_beside_what_its_policy_says_is_told_as_well(
    channel: grpc.aio.Channel, truth: Truth
) -> None:
    truth.also_changed = (CAMPAIGN,)
    seen = await rename(channel, "second")
    assert [mark.partition("=")[0] for mark in seen.split(",")] == ["categories", CAMPAIGN]


async def test_a_write_that_changed_more_than_can_be_told_returns_once_every_process_knows(
    channel: grpc.aio.Channel, elsewhere: grpc.aio.Channel, truth: Truth
) -> None:
    await get(elsewhere)
    assert (await get(elsewhere))[1] == "hit"
    truth.also_changed = tuple(campaign_generation(UUID(int=number)) for number in range(200))
    assert await rename(channel, "second") == ""
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
    assert await eventually(lambda: truth.reads == 2)  # it did not wait for the first
    truth.gate.set()
    assert [(await read)[0].display_name for read in (before, after)] == ["first", "second"]


async def looked(cache_url: str, times: int) -> bool:
    """Tells whether Redis has been asked so often since its counts were reset."""
    async with redis.Redis.from_url(cache_url) as server:
        asked = (await server.info("commandstats")).get("cmdstat_evalsha", {"calls": 0})
    return bool(asked["calls"] >= times)


@pytest.fixture
async def counted_url(cache_url: str) -> str:
    """The cache's address, its counts reset."""
    async with redis.Redis.from_url(cache_url) as server:
        await server.config_resetstat()
    return cache_url


async def test_fifty_equal_reads_at_once_are_one(channel: grpc.aio.Channel, truth: Truth, counted_url: str) -> None:
    truth.gate.clear()
    reads = [asyncio.ensure_future(get(channel)) for _ in range(50)]
    assert await eventually(partial(looked, counted_url, 50))
    truth.gate.set()
    outcomes = [outcome for _, outcome in await asyncio.gather(*reads)]
    assert (truth.reads, outcomes.count("miss")) == (1, 1)


async def test_a_follower_that_gives_up_harms_nobody(channel: grpc.aio.Channel, truth: Truth, counted_url: str) -> None:
    truth.gate.clear()
    leader = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    impatient, patient = (asyncio.ensure_future(get(channel)) for _ in range(2))
    assert await eventually(partial(looked, counted_url, 3))
    impatient.cancel()
    await rename(channel, "second")  # on the same connection: the server has heard of the cancellation by now
    truth.gate.set()
    assert [(await read)[0].display_name for read in (leader, patient)] == ["first", "first"]
    assert truth.reads == 1


async def test_of_the_followers_of_a_cancelled_leader_one_leads_the_others(
    channel: grpc.aio.Channel, truth: Truth, counted_url: str
) -> None:
    truth.gate.clear()
    leader = asyncio.ensure_future(get(channel))
    await truth.reading.wait()
    followers = [asyncio.ensure_future(get(channel)) for _ in range(5)]
    assert await eventually(partial(looked, counted_url, 6))
    leader.cancel()
    assert await eventually(lambda: truth.reads > 1)
    truth.gate.set()
    assert {reply.display_name for reply, _ in await asyncio.gather(*followers)} == {"first"}
    assert truth.reads == 2


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
        keys = [key async for key in server.scan_iter("cache:reply:*")]
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
    assert [await stats(channel, campaign) for campaign in (ONE, TWO)] == ["stale", "hit"]


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


async def test_a_write_whose_outcome_is_unknown_outdates_too(channel: grpc.aio.Channel, truth: Truth) -> None:
    await get(channel)
    truth.broken = Unavailable("DATABASE_UNAVAILABLE", "The answer to the commit was lost.")
    with pytest.raises(grpc.aio.AioRpcError):
        await rename(channel, "second")
    truth.broken = None
    assert (await get(channel))[0].display_name == "second"
