"""The audit's rows on indexes: each has the columns it must have, and the statement it is for walks it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from core.domain.time_ranges import NEWEST, OLDEST
from core.queries import load
from tests.helpers.servers import Databases
from tests.integration.audit.conftest import Note

NOBODY, LONG_AGO = UUID(int=1), datetime(2020, 1, 1, tzinfo=UTC)
# index, its columns and condition, the statement it is for with its arguments.
INDEXES: list[tuple[str, str, str, tuple[Any, ...]]] = [
    ("messages_campaign_id_state_idx", "(campaign_id, state, id)",
     "messages.list_messages_by_state", (NEWEST, NEWEST, 50, OLDEST, NEWEST, "FAILED")),
    ("messages_contact_id_idx", "(contact_id, id)",
     "messages.list_messages_of_contact", (NOBODY, NEWEST, 50)),
    ("messages_claim_idx", "(campaign_id, not_before_time, id) WHERE (state = 'PENDING'::text)",
     "sending.claim_messages", ([NOBODY], 100, 60.0, [LONG_AGO], [NOBODY])),
    ("messages_lease_idx", "(lease_expire_time) WHERE (state = 'SENDING'::text)", "sending.expire_leases", (100,)),
    ("messages_doubt_idx", "(doubt_time) WHERE (state = 'UNCONFIRMED'::text)", "doubts.decide_doubts", (60.0, 100)),
    ("messages_whatsapp_message_id_idx", "(whatsapp_message_id) WHERE (whatsapp_message_id IS NOT NULL)",
     "receipts.find_messages", (["wamid.1"],)),
    # None of ours: what was sent when is counted by minute. It stays for who asks the rows themselves.
    ("messages_send_time_idx", "(send_time) WHERE (send_time IS NOT NULL)",
     "SELECT count(*) FROM messages WHERE send_time >= $1 AND send_time < $1 + interval '1 hour'", (LONG_AGO,)),
    ("interactions_message_id_idx", "(message_id) WHERE (message_id IS NOT NULL)",
     "interactions.list_message_interactions", (NOBODY, LONG_AGO, NEWEST, 50, NOBODY, None, None)),
    ("interactions_campaign_id_time_idx", "(campaign_id, interaction_time, id) WHERE (campaign_id IS NOT NULL)",
     "interactions.list_campaign_interactions", (NOBODY, LONG_AGO, NEWEST, 50)),
    ("category_contacts_pkey", "(category_id, contact_id)",
     "contact_lists.list_contacts_in_category", (OLDEST, 50, NOBODY)),
    ("category_contacts_contact_id_idx", "(contact_id, category_id)", "contacts.get_contact", (NOBODY,)),
    ("contacts_states_list_idx", "(marketing_consent, whatsapp_state, id NULLS FIRST)",
     "contact_lists.list_contacts_in_states", (OLDEST, 50, 50, ["UNKNOWN"], ["ABSENT"])),
]  # fmt: skip
FILL = (
    "INSERT INTO senders (phone_number_id, whatsapp_account_id) VALUES ('1', '2')",
    """INSERT INTO templates (whatsapp_account_id, whatsapp_template_id, template_name, language_code,
        template_category, state)
    VALUES ('2', '3', 'sale', 'en', 'MARKETING', 'APPROVED')""",
    """INSERT INTO contacts (phone_number, whatsapp_state)
    SELECT '+49' || (1700000000 + n), CASE WHEN n % 100 = 0 THEN 'ABSENT' ELSE 'UNKNOWN' END
    FROM generate_series(1, 20000) AS n""",
    """INSERT INTO campaigns (id, display_name, sender_id, template_id, state)
    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'Campaign', senders.id, templates.id, 'RUNNING'
    FROM senders, templates, generate_series(1, 4) AS n""",
    """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, state, whatsapp_message_id, send_time,
        lease_expire_time, doubt_time)
    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, contacts.id, senders.id, 1,
        ('{PENDING,SENDING,READ,READ,READ,FAILED,UNCONFIRMED}'::text[])[1 + abs(hashtext(contacts.id::text)) % 7],
        'wamid.' || contacts.id || n, now() - random() * interval '90 days', now() + interval '1 hour', now()
    FROM contacts, senders, generate_series(1, 4) AS n""",
    """INSERT INTO interactions (sender_id, contact_id, campaign_id, message_id, kind, interaction_time)
    SELECT sender_id, contact_id, campaign_id, id, 'TEXT', now() - random() * interval '90 days' FROM messages""",
    "INSERT INTO categories (display_name) SELECT 'Category ' || n FROM generate_series(1, 10) AS n",
    """INSERT INTO category_contacts (category_id, contact_id)
    SELECT categories.id, contacts.id FROM categories, contacts""",
    "ANALYZE",
)


@pytest.fixture(scope="module")
async def filled(databases: Databases, database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    for statement in FILL:
        await connection.execute(statement)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(params=["force_custom_plan", "force_generic_plan"])
async def connection_planning(
    filled: "asyncpg.Connection[asyncpg.Record]", request: pytest.FixtureRequest
) -> "asyncpg.Connection[asyncpg.Record]":
    """The connection, planning with the values it gets or without looking at them."""
    await filled.execute(f"SET plan_cache_mode = {request.param}")
    return filled


@pytest.mark.parametrize("row", INDEXES, ids=[row[0] for row in INDEXES])
async def test_an_index_of_the_audit_is_there_and_used(
    connection_planning: "asyncpg.Connection[asyncpg.Record]", note: Note, row: tuple[str, str, str, tuple[Any, ...]]
) -> None:
    index, columns, statement, arguments = row
    found = await connection_planning.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = $1", index)
    assert str(found).partition(" USING btree ")[2] == columns
    assert index in await _walked(connection_planning, _text(statement), *arguments)
    note(f"index {index}", columns)


async def _walked(connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *arguments: Any) -> set[str]:
    (explained,) = json.loads(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *arguments))
    return set(_indexes(explained["Plan"]))


def _text(statement: str) -> str:
    """Returns a statement as it stands, or the one of that name in our own."""
    noun, _, name = statement.partition(".")
    return load(noun)[name] if noun.isidentifier() and name.isidentifier() else statement


def _indexes(node: dict[str, Any]) -> list[str]:
    own = [node["Index Name"]] if "Index Name" in node else []
    return own + [name for child in node.get("Plans", ()) for name in _indexes(child)]
