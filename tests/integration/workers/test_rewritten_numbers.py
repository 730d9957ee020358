"""People whose number WhatsApp writes otherwise than they were imported: they are the same, whatever they say."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.clock import SystemClock
from server.services.erasure import erase_person
from tests.helpers.receiving import KEY, Desk, desk
from tests.helpers.webhook_bodies import body, reply

JOANA, WRITTEN = "+5511987650021", "551187650021"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [JOANA]) as made:
        yield made


async def test_a_stop_under_the_number_as_whatsapp_writes_it_stops(at: Desk) -> None:
    await at.deliver(body(messages=[reply("STOP", SystemClock().now(), wamid="wamid.in", phone=WRITTEN)]))
    row = await at.plan.connection.fetchrow("SELECT phone_number, marketing_consent FROM contacts")
    assert row is not None
    assert tuple(row) == (JOANA, "OPTED_OUT")
    assert await at.value("SELECT count(*) FROM contacts") == 1


async def test_a_choice_in_whatsapps_settings_is_theirs(at: Desk) -> None:
    choice = {"wa_id": WRITTEN, "category": "marketing_messages", "value": "stop", "timestamp": 1790000000}
    await at.deliver(body(field="user_preferences", user_preferences=[choice], contacts=[{"wa_id": WRITTEN}]))
    assert await at.value("SELECT marketing_consent FROM contacts") == "OPTED_OUT"


@pytest.mark.parametrize("waits", [True, False])
async def test_an_erasure_finds_either_way_of_writing(at: Desk, *, waits: bool) -> None:
    raw = body(field="calls", calls=[{"from": WRITTEN}, {"from": JOANA[1:]}])
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([raw, json.dumps({"at": WRITTEN}).encode()[:-1]])
    contact_id = await at.value("SELECT id FROM contacts")
    if not waits:
        await at.apply()
    async with at.store.transaction() as rooms:
        await erase_person(rooms, contact_id, hash_key=KEY, at=SystemClock().now(), lease_seconds=60)
    await at.apply()
    kept = [row["body"] for row in await at.plan.connection.fetch("SELECT body FROM webhook_deliveries")]
    assert not [word for raw in kept for word in (WRITTEN.encode(), JOANA[1:].encode()) if word in raw]


async def test_who_was_kept_as_whatsapp_writes_them_is_kept_as_telephones_do(at: Desk) -> None:
    await at.plan.connection.execute("UPDATE contacts SET phone_number = $1", f"+{WRITTEN}")
    up = Path("sql/migrations/0038_pre_settle_phone_numbers.sql").read_text().split("-- migrate:down")[0]
    await at.plan.connection.execute(up)
    assert await at.value("SELECT phone_number FROM contacts") == JOANA
    await at.plan.connection.execute("INSERT INTO contacts (phone_number) VALUES ($1)", f"+{WRITTEN}")
    await at.plan.connection.execute(up)
    assert await at.value("SELECT count(*) FROM contacts") == 2
