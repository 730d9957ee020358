"""Lists of messages, interactions and campaigns of a time hold what is of it: each once, nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from chappe.v1 import campaigns_pb2, campaigns_service_pb2, messages_pb2, messages_service_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from tests.helpers.reads_api import ReadsApi, serving_reads

requests = messages_service_pb2
DAY = timedelta(days=1)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Messages get ids of moments an hour apart, from noon on, and answers the same times.
_DATE_MESSAGES = """
    WITH dated AS (SELECT id, row_number() OVER (ORDER BY campaign_id, id) AS place FROM messages)
    UPDATE messages
    SET id = uuidv7($1::timestamptz + place * interval '1 hour' - clock_timestamp())
    FROM dated WHERE dated.id = messages.id"""
_DATE_INTERACTIONS = """
    WITH dated AS (SELECT id, row_number() OVER (ORDER BY campaign_id, id) AS place FROM interactions)
    UPDATE interactions
    SET interaction_time = $1::timestamptz + place * interval '1 hour',
        id = uuidv7($1::timestamptz + place * interval '1 hour' - clock_timestamp())
    FROM dated WHERE dated.id = interactions.id"""
_DATE_CAMPAIGNS = """
    WITH dated AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM campaigns)
    UPDATE campaigns
    SET id = uuidv7($1::timestamptz + place * interval '1 hour' - clock_timestamp())
    FROM dated WHERE dated.id = campaigns.id"""
_ROWS = {
    "messages": "SELECT id, campaign_id, contact_id, state AS kind, uuid_extract_timestamp(id) AS time FROM messages",
    "interactions": "SELECT id, campaign_id, contact_id, kind, interaction_time AS time FROM interactions",
    "campaigns": "SELECT id, state, uuid_extract_timestamp(id) AS time FROM campaigns",
}
RANGES: dict[str, dict[str, datetime]] = {
    "on": {"start_time": NOON + timedelta(hours=4)},
    "before": {"end_time": NOON + timedelta(hours=9)},
    "between": {"start_time": NOON + timedelta(hours=4), "end_time": NOON + timedelta(hours=9)},
    "after all": {"start_time": NOON + DAY},
    "before all": {"end_time": NOON},
}


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ReadsApi]:
    async with serving_reads(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


@pytest.fixture
async def contact_id(api: ReadsApi) -> UUID:
    """Returns a contact with messages in all campaigns, and answers to them; the last campaign is the fullest."""
    for count in (3, 4, 5):
        campaign_id = await api.rows.campaign()
        contacts = await api.rows.messages(campaign_id, *(["READ", "PENDING"] * count)[:count])
    await api.rows.execute("ALTER TABLE messages DROP CONSTRAINT messages_recipient_key")
    await api.rows.execute("UPDATE messages SET contact_id = $1 WHERE state = 'READ'", contacts[0])
    await api.rows.execute(_DATE_MESSAGES, NOON)
    for row in await api.rows.fetch("SELECT id FROM campaigns ORDER BY id"):
        await api.rows.interactions(row["id"], kind="TEXT")
    await api.rows.execute("UPDATE interactions SET kind = 'BUTTON' WHERE contact_id = $1", contacts[0])
    await api.rows.execute(_DATE_INTERACTIONS, NOON)
    return contacts[0]


async def _walk(api: ReadsApi, what: str, fields: dict[str, Any]) -> list[str]:
    """Follows the pages of a list to its end."""
    method, make = _list(api, what.capitalize())
    request = make(page_size=2, **fields)
    found: list[str] = []
    for _ in range(20):
        reply = await api.call(method, request)
        found.extend(each.name.rpartition("/")[2] for each in getattr(reply, what))
        request.page_token = reply.next_page_token
        if not request.page_token:
            return found
    raise AssertionError("the walk does not end")


@pytest.mark.parametrize("what", ["messages", "interactions"])
async def test_a_list_of_a_time_holds_what_is_of_it_under_every_other_filter(
    api: ReadsApi, contact_id: UUID, what: str
) -> None:
    rows = await api.rows.fetch(_ROWS[what])
    campaign_id = max(row["campaign_id"] for row in rows)
    kind = "READ" if what == "messages" else "BUTTON"
    by_kind = (
        {"state": messages_pb2.Message.STATE_READ}
        if what == "messages"
        else {"kind": messages_pb2.Interaction.KIND_BUTTON}
    )
    seen = 0
    for name, asked in RANGES.items():
        for chosen in range(8):
            in_campaign, of_kind, of_contact = bool(chosen & 1), bool(chosen & 2), bool(chosen & 4)
            fields = (
                {key: _timestamp(moment) for key, moment in asked.items()}
                | ({"parent": f"campaigns/{campaign_id}"} if in_campaign else {})
                | (by_kind if of_kind else {})
                | ({"contact": f"contacts/{contact_id}"} if of_contact else {})
            )
            expected = {
                str(row["id"])
                for row in rows
                if asked.get("start_time", NOON - DAY) <= row["time"] < asked.get("end_time", NOON + 2 * DAY)
                and (not in_campaign or row["campaign_id"] == campaign_id)
                and (not of_kind or row["kind"] == kind)
                and (not of_contact or row["contact_id"] == contact_id)
            }
            found = await _walk(api, what, fields)
            assert sorted(found) == sorted(expected), (name, in_campaign, of_kind, of_contact)
            seen += len(found)
    assert seen > 50


async def test_campaigns_of_a_time_are_listed_newest_first_under_either_filter(api: ReadsApi) -> None:
    for state in ("RUNNING", "DRAFT") * 6:
        await api.rows.campaign(state=state)
    await api.rows.execute(_DATE_CAMPAIGNS, NOON)
    rows = await api.rows.fetch(_ROWS["campaigns"])
    for name, asked in RANGES.items():
        for states in ({"RUNNING", "DRAFT"}, {"RUNNING"}):
            fields: dict[str, Any] = {key: _timestamp(moment) for key, moment in asked.items()}
            if len(states) == 1:
                fields["state"] = campaigns_pb2.Campaign.STATE_RUNNING
            expected = {
                str(row["id"])
                for row in rows
                if asked.get("start_time", NOON - DAY) <= row["time"] < asked.get("end_time", NOON + 2 * DAY)
                and row["state"] in states
            }
            assert await _walk(api, "campaigns", fields) == sorted(expected, reverse=True), (name, states)
            assert bool(expected) == ("all" not in name)


async def test_answers_to_one_message_are_found_by_time(api: ReadsApi, contact_id: UUID) -> None:
    (row,) = await api.rows.fetch(
        "SELECT campaign_id, message_id, interaction_time FROM interactions WHERE contact_id = $1 LIMIT 1", contact_id
    )
    name, time = f"campaigns/{row['campaign_id']}/messages/{row['message_id']}", row["interaction_time"]
    assert len(await _walk(api, "interactions", {"parent": name, "start_time": _timestamp(time)})) == 1
    assert await _walk(api, "interactions", {"parent": name, "end_time": _timestamp(time)}) == []


@pytest.mark.parametrize("what", ["Messages", "Interactions", "Campaigns"])
async def test_a_time_that_ends_before_it_starts_is_refused(api: ReadsApi, what: str) -> None:
    method, make = _list(api, what)
    start = _timestamp(NOON)
    assert await api.refusal(method, make(start_time=start, end_time=start)) == "REQUEST_INVALID"
    assert await api.refusal(method, make(start_time=start, end_time=_timestamp(NOON - DAY))) == "REQUEST_INVALID"
    never = Timestamp(seconds=10**15)
    assert await api.refusal(method, make(start_time=never)) == "TIME_INVALID"
    assert await api.refusal(method, make(start_time=start, end_time=never)) in {"REQUEST_INVALID", "TIME_INVALID"}


@pytest.mark.parametrize("what", ["Messages", "Interactions"])
async def test_a_token_of_one_time_is_refused_with_another(api: ReadsApi, contact_id: UUID, what: str) -> None:
    method, make = _list(api, what)
    token = (await api.call(method, make(page_size=1, start_time=_timestamp(NOON)))).next_page_token
    assert token
    other = make(page_size=1, page_token=token, start_time=_timestamp(NOON + timedelta(hours=1)))
    assert await api.refusal(method, other) == "PAGE_TOKEN_INVALID"


def _list(api: ReadsApi, what: str) -> tuple[Any, Any]:
    """Returns the rpc that lists them, and the class of its request."""
    if what == "Campaigns":
        return api.campaigns.ListCampaigns, campaigns_service_pb2.ListCampaignsRequest
    return getattr(api.messages, f"List{what}"), getattr(requests, f"List{what}Request")


def _timestamp(moment: datetime) -> Timestamp:
    written = Timestamp()
    written.FromDatetime(moment)
    return written
