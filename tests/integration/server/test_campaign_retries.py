"""RetryFailedMessages: what failed is sent again where that can help, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import grpc
import pytest
from chappe.v1 import campaigns_pb2, campaigns_service_pb2

from core.db import Database
from tests.helpers.doors import details
from tests.helpers.eventually import eventually
from tests.helpers.lock_waits import WAITERS
from tests.helpers.sending_api import SendingApi, serving_sends

Campaign = campaigns_pb2.Campaign
_STATES = "SELECT coalesce(string_agg(state, ' ' ORDER BY id), '') FROM messages WHERE campaign_id = $1"
_FIRST_ONES_TAKEN = """
    INSERT INTO message_attempts (campaign_id, message_id, attempt, whatsapp_message_id)
    SELECT campaign_id, id, 1, 'wamid.' || id FROM messages"""
_MANY_PEOPLE = """
    INSERT INTO contacts (phone_number) SELECT '+49171' || (1000000 + n) FROM generate_series(1, 100000) AS n"""
_MANY_FAILED = """
    INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, state, reason, error_code, attempt, fail_time)
    SELECT $1, id, $2, 1, 'FAILED', 'REJECTED', 131000, 1, now() FROM contacts ORDER BY id"""


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[SendingApi]:
    async with serving_sends(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


def asked(campaign_id: UUID, *codes: int, request_id: str = "") -> campaigns_service_pb2.RetryFailedMessagesRequest:
    return campaigns_service_pb2.RetryFailedMessagesRequest(
        name=f"campaigns/{campaign_id}", error_codes=codes, request_id=request_id
    )


async def failed(api: SendingApi, campaign_id: UUID, *, code: int, reason: str = "REJECTED", count: int = 1) -> None:
    contacts = await api.rows.messages(campaign_id, *["FAILED"] * count, error_code=code)
    statement = "UPDATE messages SET reason = $2, attempt = 1 WHERE contact_id = ANY ($1::uuid[])"
    await api.rows.execute(statement, contacts, reason)


@pytest.mark.parametrize(
    ("state", "after"),
    [
        ("RUNNING", Campaign.STATE_RUNNING),
        ("PAUSED", Campaign.STATE_PAUSED),
        ("COMPLETED", Campaign.STATE_RUNNING),
    ],
)
async def test_failed_messages_are_put_back_and_a_completed_campaign_runs_again(
    api: SendingApi, state: str, after: Campaign.State.ValueType
) -> None:
    campaign_id = await api.rows.campaign(state=state)
    await failed(api, campaign_id, code=131000, count=2)
    await api.rows.messages(campaign_id, "DELIVERED", "SKIPPED")
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id))
    assert (reply.message_count, reply.campaign.state) == (2, after)
    assert not reply.campaign.HasField("complete_time")
    assert await api.value(_STATES, campaign_id) == "PENDING PENDING DELIVERED SKIPPED"
    rest = "SELECT (max(error_code), max(reason), max(fail_time)) FROM messages WHERE state = 'PENDING'"
    assert await api.value(rest) == (0, "", None)


async def test_codes_choose_what_is_put_back(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign()
    for code in (131000, 131053, 131026):
        await failed(api, campaign_id, code=code)
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id, 131053, 131026))
    assert reply.message_count == 2
    assert await api.value(_STATES, campaign_id) == "FAILED PENDING PENDING"


async def test_what_another_try_cannot_help_and_what_may_have_arrived_is_left_alone_unless_asked_for(
    api: SendingApi,
) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131026)
    await failed(api, campaign_id, code=131049)
    await failed(api, campaign_id, code=0, reason="OUTCOME_UNKNOWN")
    assert await api.refusal(api.campaigns.RetryFailedMessages, asked(campaign_id)) == "NOTHING_TO_RETRY"
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id, 0))
    assert reply.message_count == 1
    assert await api.value(_STATES, campaign_id) == "FAILED FAILED PENDING"
    # Its first attempt may have arrived after all: it is kept, so that a double would be seen.
    assert await api.value("SELECT attempt FROM message_attempts") == 1


async def test_what_whatsapp_held_back_for_a_contacts_sake_is_left_for_a_day_even_when_asked_for(
    api: SendingApi,
) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131049, count=3)
    await api.rows.execute("UPDATE messages SET fail_time = now() - interval '23 hours'")
    for request in (asked(campaign_id), asked(campaign_id, 131049)):
        with pytest.raises(grpc.aio.AioRpcError, match="For 3 it is too early") as refused:
            await api.call(api.campaigns.RetryFailedMessages, request)
        assert details(refused.value)["ErrorInfo"].metadata["too_early_count"] == "3"
    oldest = await api.value("SELECT id FROM messages ORDER BY id LIMIT 1")
    await api.rows.execute("UPDATE messages SET fail_time = now() - interval '25 hours' WHERE id = $1", oldest)
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id, 131049))
    assert (reply.message_count, reply.too_early_count) == (1, 2)
    assert await api.value(_STATES, campaign_id) == "PENDING FAILED FAILED"


async def test_what_may_still_arrive_is_left_for_a_day_and_counted(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131000, reason="UNDELIVERED", count=2)
    await api.rows.execute("UPDATE messages SET attempt = 2, lease_expire_time = now() - interval '23 hours'")
    await api.rows.execute(_FIRST_ONES_TAKEN)
    for request in (asked(campaign_id), asked(campaign_id, 131000)):
        with pytest.raises(grpc.aio.AioRpcError, match="Of 2 an earlier attempt may still arrive") as refused:
            await api.call(api.campaigns.RetryFailedMessages, request)
        assert details(refused.value)["ErrorInfo"].metadata["may_arrive_count"] == "2"
    await failed(api, campaign_id, code=131000)
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id))
    assert (reply.message_count, reply.too_early_count, reply.may_arrive_count) == (1, 0, 2)
    assert await api.value(_STATES, campaign_id) == "FAILED FAILED PENDING"


@pytest.mark.parametrize("state", ["DISABLED", "DELETED"])
async def test_what_whatsapp_will_not_take_again_is_neither_retried_nor_resumed(api: SendingApi, state: str) -> None:
    campaign_id = await api.rows.campaign(state="PAUSED")
    await failed(api, campaign_id, code=131000)
    await api.rows.execute("UPDATE templates SET state = $1", state)
    resume = campaigns_service_pb2.ResumeCampaignRequest(name=f"campaigns/{campaign_id}")
    assert await api.refusal(api.campaigns.RetryFailedMessages, asked(campaign_id)) == "TEMPLATE_NOT_APPROVED"
    assert await api.refusal(api.campaigns.ResumeCampaign, resume) == "TEMPLATE_NOT_APPROVED"
    assert await api.value("SELECT state FROM campaigns") == "PAUSED"


async def test_who_opted_out_or_was_erased_is_never_tried_again(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131000, count=2)
    await api.rows.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT'")
    await failed(api, campaign_id, code=131000)
    await api.rows.execute(
        "UPDATE messages SET contact_id = NULL WHERE id = (SELECT id FROM messages ORDER BY id DESC LIMIT 1)"
    )
    for request in (asked(campaign_id), asked(campaign_id, 131000)):
        assert await api.refusal(api.campaigns.RetryFailedMessages, request) == "NOTHING_TO_RETRY"


@pytest.mark.parametrize("state", ["DRAFT", "SCHEDULED", "CANCELLED", "FAILED"])
async def test_a_campaign_that_never_ran_or_was_stopped_for_good_is_not_retried(api: SendingApi, state: str) -> None:
    campaign_id = await api.rows.campaign(state=state)
    await failed(api, campaign_id, code=131000)
    assert await api.refusal(api.campaigns.RetryFailedMessages, asked(campaign_id)) == "CAMPAIGN_NOT_RETRYABLE"
    assert await api.value(_STATES, campaign_id) == "FAILED"


async def test_a_retry_of_nothing_leaves_a_completed_campaign_completed(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign(state="COMPLETED")
    await api.rows.messages(campaign_id, "DELIVERED")
    assert await api.refusal(api.campaigns.RetryFailedMessages, asked(campaign_id)) == "NOTHING_TO_RETRY"
    assert await api.value("SELECT state FROM campaigns") == "COMPLETED"


async def test_a_repeated_request_puts_nothing_back_twice(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131000)
    request = asked(campaign_id, request_id="again")
    first = await api.call(api.campaigns.RetryFailedMessages, request)
    await api.rows.execute("UPDATE messages SET state = 'FAILED', error_code = 131000")
    assert await api.call(api.campaigns.RetryFailedMessages, request) == first
    assert await api.value(_STATES, campaign_id) == "FAILED"


async def test_of_very_many_a_page_is_put_back_at_once_and_the_rest_is_kept_for_the_workers(api: SendingApi) -> None:
    campaign_id = await api.rows.campaign()
    await failed(api, campaign_id, code=131000, count=5003)
    reply = await api.call(api.campaigns.RetryFailedMessages, asked(campaign_id))
    assert reply.message_count == 5003
    counted = "SELECT sum(count)::bigint FROM counters WHERE scope_id = $1 AND state = 'PENDING'"
    assert await api.value(counted, campaign_id) == 2000
    assert await api.value("SELECT count(*) FROM retries WHERE campaign_id = $1", campaign_id) == 1


async def test_a_hundred_thousand_are_answered_for_within_the_deadline_that_callers_get_by_default(
    api: SendingApi,
) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.execute(_MANY_PEOPLE)
    await api.rows.execute(_MANY_FAILED, campaign_id, api.rows.sender_id)
    # No deadline of the caller's own: the server's default holds.
    reply = await api.campaigns.RetryFailedMessages(asked(campaign_id), metadata=api.metadata)
    assert reply.message_count == 100_000


async def test_two_retries_at_once_do_not_both_tell_of_the_same_messages(
    api: SendingApi, fresh_database_url: str
) -> None:
    campaign_id = await api.rows.campaign()
    await api.rows.execute(_MANY_PEOPLE)
    await api.rows.execute(_MANY_FAILED, campaign_id, api.rows.sender_id)
    await api.rows.execute("DELETE FROM messages WHERE id > (SELECT id FROM messages ORDER BY id OFFSET 4029 LIMIT 1)")
    async with Database(url=fresh_database_url, pool_size=1) as database, database.transaction() as holder:
        await holder.execute("SELECT id FROM campaigns FOR UPDATE")
        calls = [asyncio.create_task(api.call(api.campaigns.RetryFailedMessages, asked(campaign_id))) for _ in range(2)]
        await eventually(lambda: _waits(api, 2))
    first, second = sorted([reply.message_count for reply in await asyncio.gather(*calls)])
    # What the first one leaves to the workers is still failed when the second one looks.
    assert (first, second) == (2030, 4030)


async def _waits(api: SendingApi, count: int) -> bool:
    return bool(await api.value(WAITERS) == count)
