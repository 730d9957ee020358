"""What was there throughout is on exactly one page, whatever is inserted and changed between the pages of a list."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chappe.v1 import campaigns_pb2, campaigns_service_pb2, messages_pb2, messages_service_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.helpers.reads_api import ReadsApi, serving_reads

COUNT = 9
_CHANGED_PAGES = 4  # what went on for ever would be walked for ever
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
# Rows get ids of moments an hour apart, so that there is room for others between any two.
_DATED = (
    """WITH dated AS (SELECT id, row_number() OVER (ORDER BY campaign_id, id) AS place FROM messages)
    UPDATE messages SET id = uuidv7($1::timestamptz + place * interval '1 hour' - clock_timestamp())
    FROM dated WHERE dated.id = messages.id""",
    """UPDATE interactions
    SET id = uuidv7(uuid_extract_timestamp(messages.id) - clock_timestamp()), message_id = messages.id,
        interaction_time = date_trunc('day', $1::timestamptz)
            + (extract(hour FROM uuid_extract_timestamp(messages.id))::integer / 3) * interval '1 hour'
    FROM messages WHERE messages.contact_id = interactions.contact_id""",
    """WITH dated AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM campaigns WHERE display_name <> 'Spring')
    UPDATE campaigns SET id = uuidv7($1::timestamptz + place * interval '1 hour' - clock_timestamp())
    FROM dated WHERE dated.id = campaigns.id""",
)
_CAMPAIGNS = """
    INSERT INTO campaigns (display_name, sender_id, template_id, state)
    SELECT 'Early', sender_id, template_id, 'PAUSED' FROM campaigns, generate_series(1, $1::integer)"""
# A row $1 minutes before each that was there and one as long after it, alike in what lists ask by; and a change of all.
_BETWEEN = {
    "messages": (
        """INSERT INTO messages (id, campaign_id, contact_id, sender_id, occurrence, state, error_code)
        SELECT uuidv7(uuid_extract_timestamp(id) + side * $1 * interval '1 minute' - clock_timestamp()),
            campaign_id, contact_id, sender_id, NULL, 'FAILED', 1
        FROM messages CROSS JOIN unnest('{-1,1}'::float8[]) AS side WHERE error_code = 0""",
        "UPDATE messages SET error_title = error_title || '.'",
    ),
    "interactions": (
        """INSERT INTO interactions (id, sender_id, contact_id, campaign_id, message_id, kind, text, interaction_time)
        SELECT uuidv7(uuid_extract_timestamp(id) + side * $1 * interval '1 minute' - clock_timestamp()),
            sender_id, contact_id, campaign_id, message_id, kind, 'between', interaction_time
        FROM interactions CROSS JOIN unnest('{-1,1}'::float8[]) AS side WHERE text <> 'between'""",
        "UPDATE interactions SET payload = jsonb_build_object('page', clock_timestamp())",
    ),
    "campaigns": (
        """INSERT INTO campaigns (id, display_name, sender_id, template_id, state)
        SELECT uuidv7(uuid_extract_timestamp(id) + side * $1 * interval '1 minute' - clock_timestamp()), 'between',
            sender_id, template_id, state
        FROM campaigns CROSS JOIN unnest('{-1,1}'::float8[]) AS side WHERE display_name <> 'between'""",
        "UPDATE campaigns SET revision = revision + 1, update_time = now()",
    ),
}
_TIME = {name: Timestamp(seconds=int((NOON + days * timedelta(1)).timestamp())) for name, days in
         (("start_time", -9), ("end_time", 9))}  # fmt: skip
FAILED, TEXT = messages_pb2.Message.STATE_FAILED, messages_pb2.Interaction.KIND_TEXT
PAUSED = campaigns_pb2.Campaign.STATE_PAUSED
# What is listed, and by which fields; words in capitals stand for names of rows.
LISTS: list[tuple[str, dict[str, Any]]] = [
    ("messages", {}),
    ("messages", {"state": FAILED}),
    ("messages", _TIME),
    ("messages", {"contact": "CONTACT"}),
    ("messages", {"parent": "CAMPAIGN"}),
    ("messages", {"parent": "CAMPAIGN", "state": FAILED}),
    ("messages", {"parent": "CAMPAIGN", "contact": "CONTACT"}),
    ("messages", {"parent": "CAMPAIGN", **_TIME}),
    ("interactions", {}),
    ("interactions", {"kind": TEXT}),
    ("interactions", {"contact": "CONTACT"}),
    ("interactions", {"parent": "CAMPAIGN"}),
    ("interactions", {"parent": "CAMPAIGN", "kind": TEXT}),
    ("interactions", {"parent": "MESSAGE"}),
    ("campaigns", {}),
    ("campaigns", {"state": PAUSED}),
    ("campaigns", _TIME),
]


@pytest.fixture
async def api(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[ReadsApi]:
    async with serving_reads(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url) as api:
        yield api


@pytest.mark.parametrize(("what", "fields"), LISTS, ids=[f"{what}-{'-'.join(fields)}" for what, fields in LISTS])
async def test_what_stays_is_shown_once(api: ReadsApi, what: str, fields: dict[str, Any]) -> None:
    names = await _fill(api, of_one="contact" in fields, on_one=fields.get("parent") == "MESSAGE")
    method, make = _list(api, what)
    request = make(
        page_size=2, **{name: names[value] if isinstance(value, str) else value for name, value in fields.items()}
    )
    staying = {name for page in await _pages(api, method, request, what) for name in page}
    assert len(staying) >= COUNT

    request.ClearField("page_token")
    pages = await _pages(api, method, request, what, between=_BETWEEN[what])
    found = [name for page in pages for name in page]
    assert len(found) == len(set(found))
    assert staying <= set(found)
    # Pages that nothing came in between would tell nothing.
    assert set(found) - staying


async def _pages(
    api: ReadsApi, method: Any, request: Any, what: str, *, between: tuple[str, str] | None = None
) -> list[list[str]]:
    pages: list[list[str]] = []
    while not pages or request.page_token:
        reply = await api.call(method, request)
        pages.append([each.name for each in getattr(reply, what)])
        request.page_token = reply.next_page_token
        if between is not None and len(pages) <= _CHANGED_PAGES:
            insert, change = between
            await api.rows.execute(insert, float(len(pages)))
            await api.rows.execute(change)
        assert len(pages) < 20 * COUNT, "the walk does not end"
    return pages


async def _fill(api: ReadsApi, *, of_one: bool, on_one: bool) -> dict[str, str]:
    """Adds rows, all of one contact if wanted, or with all answers to one message; returns names."""
    campaign_id = await api.rows.campaign()
    contacts = await api.rows.messages(campaign_id, *["FAILED"] * COUNT)
    await api.rows.interactions(campaign_id)
    await api.rows.execute(_CAMPAIGNS, COUNT)
    for statement in _DATED:
        await api.rows.execute(statement, NOON)
    (message, *_) = await api.rows.fetch("SELECT id FROM messages ORDER BY id")
    if of_one:
        await api.rows.execute("ALTER TABLE messages DROP CONSTRAINT messages_recipient_key")
        await api.rows.execute("UPDATE messages SET contact_id = $1", contacts[0])
        await api.rows.execute("UPDATE interactions SET contact_id = $1", contacts[0])
    if on_one:
        await api.rows.execute("UPDATE interactions SET message_id = $1", message["id"])
    campaign = f"campaigns/{campaign_id}"
    return {
        "CAMPAIGN": campaign,
        "CONTACT": f"contacts/{contacts[0]}",
        "MESSAGE": f"{campaign}/messages/{message['id']}",
    }


def _list(api: ReadsApi, what: str) -> tuple[Any, type[Message]]:
    """Returns the rpc that lists them, and the class of its request."""
    if what == "campaigns":
        return api.campaigns.ListCampaigns, campaigns_service_pb2.ListCampaignsRequest
    name = f"List{what.capitalize()}"
    return getattr(api.messages, name), getattr(messages_service_pb2, f"{name}Request")
