"""WatchCampaign says what a campaign waits for, from its rows and from the pace."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from chappe.v1 import campaigns_service_pb2

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


async def waiting_reason(api: SendingApi, campaign_id: UUID) -> str:
    request = campaigns_service_pb2.WatchCampaignRequest(name=f"campaigns/{campaign_id}")
    watch = api.campaigns.WatchCampaign(request, metadata=api.metadata)
    seen = await watch.read()
    watch.cancel()
    return str(seen.waiting_reason)


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
