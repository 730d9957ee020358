"""Numbers as a caller sees them: equal to the rows, at any moment."""

from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import redis.asyncio as redis
from chappe.v1 import campaigns_pb2, messages_pb2, stats_pb2, stats_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from tests.helpers.reads_api import ReadsApi, serving_reads

requests = stats_service_pb2
State = messages_pb2.Message
NOBODY = "00000000-0000-7000-8000-000000000001"
EVERY_STATE = [name.removeprefix("STATE_") for name, number in State.State.items() if number]


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ReadsApi]:
    async with serving_reads(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


def name(campaign_id: UUID | str) -> str:
    return f"campaigns/{campaign_id}/stats"


async def campaign_stats(api: ReadsApi, campaign_id: UUID) -> Any:
    return await api.call(api.stats.GetCampaignStats, requests.GetCampaignStatsRequest(name=name(campaign_id)))


def by_state(counts: stats_pb2.MessageCounts) -> dict[str, int]:
    return {State.State.Name(each.state).removeprefix("STATE_"): each.message_count for each in counts.states}


async def counted_rows(api: ReadsApi, campaign_id: UUID | None) -> dict[str, int]:
    rows = await api.rows.fetch(
        "SELECT state, count(*) AS count FROM messages WHERE $1::uuid IS NULL OR campaign_id = $1 GROUP BY 1",
        campaign_id,
    )
    return dict.fromkeys(EVERY_STATE, 0) | {row["state"]: row["count"] for row in rows}


async def test_the_counts_of_a_campaign_and_of_all_are_the_rows(api: ReadsApi) -> None:
    campaign_id, other = await api.rows.campaign(), await api.rows.campaign()
    await api.rows.messages(campaign_id, *EVERY_STATE, "READ", "READ", "FAILED", error_code=131049)
    await api.rows.messages(other, "FAILED", "FAILED", error_code=131026)
    stats = await campaign_stats(api, campaign_id)
    everything = await api.call(api.stats.GetMessageStats, requests.GetMessageStatsRequest())
    assert by_state(stats.counts) == await counted_rows(api, campaign_id)
    assert by_state(everything.counts) == await counted_rows(api, None)
    assert (stats.counts.message_count, everything.counts.message_count) == (14, 16)
    assert [each.state for each in stats.counts.states] == list(range(1, 12))
    assert {(each.error_code, each.message_count) for each in everything.failures} == {(131026, 2), (131049, 2)}
    assert all(each.error_title for each in everything.failures)


async def test_who_got_further_counts_in_every_step_before(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(
        campaign_id, "PENDING", "SENDING", "ACCEPTED", "HELD", "SENT", "DELIVERED", "READ", "SKIPPED"
    )
    stats = await campaign_stats(api, campaign_id)
    counts = stats.counts
    steps = (counts.accepted_count, counts.sent_count, counts.delivered_count, counts.read_count, counts.waiting_count)
    assert steps == (5, 3, 2, 1, 2)
    assert [(skip.reason, skip.message_count) for skip in stats.skips] == [("OPTED_OUT", 1)]


async def test_a_proven_double_is_counted(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, "READ", "READ")
    superseded = """
        INSERT INTO message_attempts (campaign_id, message_id, attempt, accept_time)
        SELECT campaign_id, id, $2, CASE WHEN row_number() OVER (ORDER BY id) = 1 THEN now() END
        FROM messages WHERE campaign_id = $1"""
    for attempt in (1, 2):
        await api.rows.execute(superseded, campaign_id, attempt)
    assert (await campaign_stats(api, campaign_id)).double_count == 1
    everything = await api.call(api.stats.GetMessageStats, requests.GetMessageStatsRequest())
    assert everything.double_count == 1


@pytest.mark.parametrize(
    ("state", "age", "messages", "final"),
    [
        ("RUNNING", "2 days", ("READ",), False),
        ("COMPLETED", "1 minute", ("READ", "FAILED", "SKIPPED"), True),
        ("COMPLETED", "1 minute", ("READ", "DELIVERED"), False),
        ("COMPLETED", "2 days", ("READ", "DELIVERED"), True),
        ("CANCELLED", "2 days", ("CANCELLED", "UNCONFIRMED"), False),
    ],
)
async def test_numbers_are_final_once_nothing_is_open_and_no_receipt_is_due(
    api: ReadsApi, state: str, age: str, messages: tuple[str, ...], final: bool
) -> None:
    campaign_id = await api.rows.campaign(state=state)
    await api.rows.execute("UPDATE campaigns SET complete_time = now() - $1::text::interval", age)
    await api.rows.messages(campaign_id, *messages)
    assert (await campaign_stats(api, campaign_id)).final is final


async def test_the_numbers_of_many_campaigns_come_in_the_order_asked(api: ReadsApi) -> None:
    campaigns = [await api.rows.campaign() for _ in range(3)]
    for count, campaign_id in enumerate(campaigns):
        await api.rows.messages(campaign_id, *["READ"] * count)
    request = requests.BatchGetCampaignStatsRequest(names=[name(each) for each in reversed(campaigns)])
    reply = await api.call(api.stats.BatchGetCampaignStats, request)
    assert [each.name for each in reply.stats] == list(request.names)
    assert [each.counts.read_count for each in reply.stats] == [2, 1, 0]
    request.names.append(name(NOBODY))
    assert await api.refusal(api.stats.BatchGetCampaignStats, request) == "CAMPAIGN_NOT_FOUND"


async def test_a_dashboard_shows_what_runs_then_what_ended_last(api: ReadsApi) -> None:
    first, ended_late, ended_early, draft = [
        await api.rows.campaign(state=state) for state in ("RUNNING", "COMPLETED", "COMPLETED", "DRAFT")
    ]
    paused = await api.rows.campaign(state="PAUSED")
    await api.rows.execute("UPDATE campaigns SET complete_time = now() - interval '1 hour' WHERE id = $1", ended_early)
    await api.rows.execute("UPDATE campaigns SET complete_time = now() WHERE id = $1", ended_late)
    await api.rows.messages(first, "READ", "ACCEPTED", "FAILED", error_code=131026)
    await api.rows.messages(ended_early, "READ")
    dashboard = await api.call(api.stats.GetDashboard, requests.GetDashboardRequest())
    lines = [line.campaign.name.removeprefix("campaigns/") for line in dashboard.campaigns]
    assert lines == [str(each) for each in (paused, first, ended_late, ended_early)]
    assert [line.counts.message_count for line in dashboard.campaigns] == [0, 3, 0, 1]
    states = {campaigns_pb2.Campaign.State.Name(each.state): each.campaign_count for each in dashboard.campaign_states}
    assert (states["STATE_COMPLETED"], states["STATE_DRAFT"], states["STATE_CANCELLED"]) == (2, 1, 0)
    assert (dashboard.counts.message_count, dashboard.accepted_last_hour_count) == (4, 3)
    assert draft not in lines


async def test_a_series_has_every_bucket_and_adds_up_to_the_rows(api: ReadsApi) -> None:
    campaign_id, other = await api.rows.campaign(), await api.rows.campaign()
    await api.rows.messages(campaign_id, *["READ"] * 3, "ACCEPTED", "FAILED")
    await api.rows.messages(other, "READ")
    hours_ago = "UPDATE messages SET read_time = now() - interval '3 hours' WHERE state = 'READ' AND campaign_id = $1"
    await api.rows.execute(hours_ago, campaign_id)
    request = requests.GetTimeSeriesRequest(campaign=f"campaigns/{campaign_id}")
    minutes = (await api.call(api.stats.GetTimeSeries, request)).points
    request.bucket = requests.TimeSeries.BUCKET_HOUR
    hours = (await api.call(api.stats.GetTimeSeries, request)).points
    assert (len(minutes), len(hours)) == (60, 48)
    assert {late.start_time.seconds - early.start_time.seconds for early, late in pairwise(hours)} == {3600}
    assert (sum(point.accepted_count for point in minutes), sum(point.failed_count for point in minutes)) == (4, 1)
    assert sum(point.read_count for point in minutes) == 0
    assert hours[-4].read_count == 3
    everything = (await api.call(api.stats.GetTimeSeries, requests.GetTimeSeriesRequest(bucket=request.bucket))).points
    assert sum(point.accepted_count for point in everything) == 5


async def test_minutes_folded_into_hours_still_count(api: ReadsApi) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, "ACCEPTED", "ACCEPTED")
    await api.rows.fold_minutes()
    await api.rows.messages(campaign_id, "ACCEPTED")
    request = requests.GetTimeSeriesRequest(campaign=f"campaigns/{campaign_id}", bucket=requests.TimeSeries.BUCKET_HOUR)
    points = (await api.call(api.stats.GetTimeSeries, request)).points
    assert sum(point.accepted_count for point in points) == 3
    await api.rows.fold_minutes()
    folded = (await api.call(api.stats.GetTimeSeries, request)).points
    assert sum(point.accepted_count for point in folded) == 3


@pytest.mark.parametrize(("start", "end"), [(1000, 1000), (2000, 1000), (0, 1501 * 60), (-62135596800, 253402300799)])
async def test_a_range_without_or_with_too_many_buckets_is_refused(api: ReadsApi, start: int, end: int) -> None:
    request = requests.GetTimeSeriesRequest(start_time=Timestamp(seconds=start), end_time=Timestamp(seconds=end))
    assert await api.refusal(api.stats.GetTimeSeries, request) == "TIME_RANGE_INVALID"


async def test_a_range_at_the_beginning_of_time_is_refused_and_not_a_failure(api: ReadsApi) -> None:
    request = requests.GetTimeSeriesRequest(end_time=Timestamp(seconds=-62135596800))
    assert await api.refusal(api.stats.GetTimeSeries, request) == "TIME_RANGE_INVALID"


async def test_numbers_of_nothing_are_refused(api: ReadsApi) -> None:
    asked = requests.GetCampaignStatsRequest(name=name(NOBODY))
    assert await api.refusal(api.stats.GetCampaignStats, asked) == "CAMPAIGN_NOT_FOUND"
    series = requests.GetTimeSeriesRequest(campaign=f"campaigns/{NOBODY}")
    assert await api.refusal(api.stats.GetTimeSeries, series) == "CAMPAIGN_NOT_FOUND"


async def test_final_numbers_are_kept_longer_and_the_cache_says_what_it_did(
    fresh_database_url: str, cache_url: str, queue_url: str
) -> None:
    async with serving_reads(
        database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url, cache_enabled=True
    ) as api:
        running, over = await api.rows.campaign(), await api.rows.campaign(state="COMPLETED")
        for campaign_id in (running, over):
            await api.rows.messages(campaign_id, "READ")
            for _ in range(2):
                await campaign_stats(api, campaign_id)
        stats = await api.call(api.stats.GetCacheStats, requests.GetCacheStatsRequest())
        (method,) = stats.methods
        assert method.method == "/chappe.v1.StatsService/GetCampaignStats"
        assert (method.hit_count, method.miss_count, stats.hit_ratio, stats.available) == (2, 2, 0.5, True)
        lives = await time_to_live(cache_url)
        assert lives[0] <= 2
        assert lives[1] > 3000


async def time_to_live(cache_url: str) -> list[int]:
    """Returns in how many seconds each kept reply ends, the shortest first."""
    async with redis.Redis.from_url(cache_url) as connection:
        keys = [key async for key in connection.scan_iter("cache:*GetCampaignStats*")]
        return sorted([await connection.ttl(key) for key in keys])
