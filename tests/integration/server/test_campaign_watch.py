"""WatchCampaign says what a campaign waits for, from its rows and from the pace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from chappe.v1 import campaigns_pb2, campaigns_service_pb2

from core.clock import SystemClock
from core.pace import Lane, Pace
from tests.helpers.sending_api import SendingApi, serving_sends


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[SendingApi]:
    async with serving_sends(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


async def campaign(api: SendingApi, *states: str) -> UUID:
    """Adds a running campaign with its audience planned."""
    campaign_id = await api.rows.campaign()
    await api.rows.messages(campaign_id, *states)
    await api.rows.execute("UPDATE campaigns SET expand_complete_time = now()")
    return campaign_id


@asynccontextmanager
async def watching(api: SendingApi, campaign_id: UUID) -> AsyncIterator[Any]:
    request = campaigns_service_pb2.WatchCampaignRequest(name=f"campaigns/{campaign_id}")
    watch = api.campaigns.WatchCampaign(request, metadata=api.metadata)
    try:
        yield watch
    finally:
        watch.cancel()


async def waiting_reason(api: SendingApi, campaign_id: UUID) -> str:
    async with watching(api, campaign_id) as watch:
        return str((await watch.read()).waiting_reason)


async def accept(api: SendingApi, campaign_id: UUID, count: int) -> None:
    """Moves so many of a campaign's messages on, as a worker would."""
    await api.rows.execute(
        """UPDATE messages SET state = 'ACCEPTED', accept_time = now() WHERE id IN (
            SELECT id FROM messages WHERE campaign_id = $1 AND state = 'PENDING' LIMIT $2::integer
        )""",
        campaign_id,
        count,
    )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["PENDING", "UNCONFIRMED", "HELD"], ""),
        (["SENDING", "UNCONFIRMED"], ""),
        (["READ", "UNCONFIRMED", "HELD"], "UNCONFIRMED"),
        (["READ", "HELD"], "HELD"),
        (["READ"], ""),
    ],
)
async def test_what_is_left_tells_what_is_waited_for(api: SendingApi, states: list[str], expected: str) -> None:
    assert await waiting_reason(api, await campaign(api, *states)) == expected


async def test_a_sender_that_whatsapp_slowed_down_is_told_while_something_is_due(
    api: SendingApi, queue_url: str
) -> None:
    campaign_id = await campaign(api, "PENDING")
    pace = Pace.connect(queue_url, clock=SystemClock())
    await pace.throttle(Lane.of_sender(api.rows.sender_id, 80))
    await pace.close()
    assert await waiting_reason(api, campaign_id) == "THROTTLED"
    await api.rows.execute("UPDATE messages SET not_before_time = now() + interval '1 hour'")
    assert await waiting_reason(api, campaign_id) == "RETRIES_WAITING"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE campaigns SET state = 'SCHEDULED'", "SCHEDULED"),
        ("UPDATE campaigns SET state = 'PAUSED'", "PAUSED"),
        ("UPDATE senders SET state = 'PAUSED'", "SENDER_PAUSED"),
        ("UPDATE campaigns SET expand_complete_time = NULL; DELETE FROM messages WHERE state = 'PENDING'", "EXPANDING"),
        ("UPDATE messages SET not_before_time = now() + interval '1 hour'", "RETRIES_WAITING"),
        ("UPDATE messages SET state = 'UNCONFIRMED', doubt_time = now() WHERE state = 'PENDING'", "UNCONFIRMED"),
        ("UPDATE messages SET state = 'HELD', accept_time = now() WHERE state = 'PENDING'", "HELD"),
    ],
)
async def test_while_nothing_leaves_the_reason_is_told_and_no_time(api: SendingApi, change: str, expected: str) -> None:
    campaign_id = await campaign(api, *["PENDING"] * 30)
    async with watching(api, campaign_id) as watch:
        await watch.read()
        await accept(api, campaign_id, 10)
        moving = await watch.read()
        assert moving.HasField("remaining_duration")
        for each in change.split("; "):
            await api.rows.execute(each)
        seen = await watch.read()
        while seen.waiting_reason != expected:
            seen = await watch.read()
        # It has sent in the last seconds, and goes on to say so; of what is left that says nothing.
        assert seen.accepted_per_second > 0
        assert not seen.HasField("remaining_duration")


async def test_speed_and_time_left_are_sane_from_the_start_to_the_end(api: SendingApi) -> None:
    campaign_id = await campaign(api, *["PENDING"] * 100)
    await api.rows.execute("UPDATE campaigns SET messages_per_second = 10")
    async with watching(api, campaign_id) as watch:
        first = await watch.read()
        assert (first.accepted_per_second, first.waiting_reason) == (0, "")
        assert not first.HasField("remaining_duration")
        await accept(api, campaign_id, 20)
        second = await watch.read()
        assert second.waiting_reason == "PACE"
        assert second.remaining_duration.seconds == round(80 / second.accepted_per_second)
        await accept(api, campaign_id, 80)
        third = await watch.read()
        assert third.HasField("remaining_duration")
        assert (third.remaining_duration.seconds, third.waiting_reason) == (0, "")
        await api.rows.execute("UPDATE campaigns SET state = 'COMPLETED', complete_time = now()")
        last = await watch.read()
        assert last.campaign.state == campaigns_pb2.Campaign.STATE_COMPLETED
        assert not last.HasField("remaining_duration")


@pytest.mark.parametrize("change", ["state = 'FAILED', fail_time = now()", "state = 'PENDING', accept_time = NULL"])
async def test_what_was_accepted_before_and_fails_now_takes_nothing_from_the_speed(
    api: SendingApi, change: str
) -> None:
    campaign_id = await campaign(api, *["PENDING"] * 100, *["ACCEPTED"] * 40)
    accepted_before = "UPDATE messages SET accept_time = now() - interval '1 hour' WHERE state = 'ACCEPTED'"
    await api.rows.execute(accepted_before)
    await api.rows.execute("UPDATE campaigns SET messages_per_second = 10")
    async with watching(api, campaign_id) as watch:
        await watch.read()
        await api.rows.execute(f"UPDATE messages SET {change} WHERE state = 'ACCEPTED'")  # noqa: S608  # written here
        await watch.read()
        await accept(api, campaign_id, 20)
        seen = await watch.read()
        assert seen.accepted_per_second > 0
        assert seen.waiting_reason == "PACE"
        assert seen.remaining_duration.seconds == round(seen.stats.counts.waiting_count / seen.accepted_per_second)


async def test_a_campaign_that_has_its_share_of_its_senders_pace_waits_for_the_pace(api: SendingApi) -> None:
    campaign_id = await campaign(api, *["PENDING"] * 100)
    await api.rows.execute("UPDATE senders SET messages_per_second = 40")
    for others, expected in ((0, ""), (3, "PACE")):
        for _ in range(others):
            await campaign(api, "PENDING")
        async with watching(api, campaign_id) as watch:
            await watch.read()
            await accept(api, campaign_id, 14)
            assert (await watch.read()).waiting_reason == expected
