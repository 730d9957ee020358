"""Words that come after an erasure: old ones bring nobody back, and who writes anew is someone we get to know."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.clock import SystemClock
from tests.helpers.erasing import AFTER, ANN, BEFORE, BOB, NOW, bodies, erase, message_of
from tests.helpers.receiving import Desk, desk
from tests.helpers.webhook_bodies import body, reply


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


def noticed(number: str, at: datetime, kind: str, told: dict[str, Any], *, wamid: str = "wamid.n") -> dict[str, Any]:
    """Returns WhatsApp's own word about a person: that they changed their number, or what they wrote."""
    return {"from": number[1:], "id": wamid, "timestamp": str(int(at.timestamp())), "type": kind, kind: told}


async def test_what_a_person_wrote_before_they_were_erased_does_not_bring_them_back(at: Desk) -> None:
    words = body(messages=[reply("secret", BEFORE, wamid="wamid.c", phone=ANN)])
    await at.deliver(words)
    await erase(at)
    await at.deliver(words)
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", ANN) == 0
    assert await at.value("SELECT count(*) FROM interactions WHERE text <> ''") == 0
    assert b"secret" not in await bodies(at)


async def test_a_late_stop_is_kept_as_proof_alone(at: Desk) -> None:
    await erase(at)
    await at.deliver(body(messages=[reply("STOP", BEFORE, wamid="wamid.c", phone=ANN)]))
    proof = await at.plan.connection.fetchrow("SELECT contact_id, consent, evidence FROM consent_events")
    assert proof is not None
    assert tuple(proof) == (None, "OPTED_OUT", "")
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", ANN) == 0


async def test_who_writes_again_afterwards_is_someone_we_know_anew(at: Desk) -> None:
    await erase(at)
    await at.deliver(body(messages=[reply("hello again", AFTER, wamid="wamid.d", phone=ANN)]))
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", ANN) == 1


async def test_a_choice_of_nobody_is_kept_as_proof_and_their_number_is_not(at: Desk) -> None:
    choice = {"wa_id": "491799999999", "category": "marketing_messages", "value": "stop", "timestamp": 1760000000}
    await at.deliver(body(field="user_preferences", user_preferences=[choice], contacts=[{"wa_id": "491799999999"}]))
    assert await at.value("SELECT count(*) FROM consent_events") == 1
    assert b"491799999999" not in await bodies(at)


async def test_a_notice_about_someone_who_is_gone_is_not_kept(at: Desk) -> None:
    await erase(at)
    moved = {"type": "user_changed_number", "wa_id": "491700000003", "body": "Ann has another number"}
    notice = noticed(ANN, AFTER, "system", moved)
    await at.deliver(body(messages=[notice]))
    assert await at.value("SELECT count(*) FROM interactions") == 0
    assert b"491700000003" not in await bodies(at)


@pytest.mark.parametrize("system", [{"customer": ANN[1:]}, {"customer": ANN[1:], "wa_id": "491700000003"}])
async def test_a_notice_without_a_sender_is_about_whom_it_names(at: Desk, system: dict[str, str]) -> None:
    await erase(at)
    message = {"id": "wamid.n", "timestamp": str(int(BEFORE.timestamp())), "type": "system"}
    await at.deliver(body(messages=[{**message, "system": {"type": "user_changed_number", "body": ANN, **system}}]))
    assert await at.value("SELECT count(*) FROM interactions") == 0
    assert ANN[1:].encode() not in await bodies(at)


async def test_what_someone_changed_who_is_no_contact_is_not_kept(at: Desk) -> None:
    edit = {"original_message_id": "wamid.o", "message": {"type": "text", "text": {"body": "STOP"}}}
    await at.deliver(body(messages=[noticed("+491700000009", NOW, "edit", edit)]))
    assert await at.value("SELECT count(*) FROM interactions") == 0
    assert await at.value("SELECT count(*) FROM consent_events WHERE consent = 'OPTED_OUT'") == 1


async def test_who_writes_again_and_changes_their_number_at_once_is_followed(at: Desk) -> None:
    await erase(at)
    now = SystemClock().now()
    moved = {"type": "user_changed_number", "wa_id": "491700000003"}
    notice = noticed(ANN, now + timedelta(seconds=5), "system", moved)
    await at.deliver(body(messages=[reply("hello", now, wamid="wamid.d", phone=ANN), notice]))
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = '+491700000003'") == 1


async def test_old_words_of_someone_who_hides_their_number_do_not_bring_them_back(at: Desk) -> None:
    ann = await message_of(at, ANN)
    words = {"from_user_id": "DE.Ann12345", "id": "wamid.h", "timestamp": str(int(BEFORE.timestamp())), "type": "text"}
    quoting = {"text": {"body": "secret"}, "context": {"id": f"wamid.{ann.message_id}"}}
    await erase(at)
    await at.deliver(body(messages=[{**words, **quoting}]))
    assert await at.value("SELECT count(*) FROM contacts WHERE whatsapp_user_id = 'DE.Ann12345'") == 0
    assert b"secret" not in await bodies(at)


async def test_who_is_new_is_known_to_a_notice_of_the_same_batch(at: Desk) -> None:
    now = SystemClock().now()
    new = {"wa_id": "491700000007", "user_id": "DE.New12345", "profile": {"name": "Nora New"}}
    number, later = "+491700000007", now + timedelta(seconds=5)
    edit = {"original_message_id": "wamid.1", "message": {"type": "text", "text": {"body": "STOP"}}}
    moved = {"type": "user_changed_number", "wa_id": "491700000008"}
    await at.deliver(
        body(messages=[reply("hello", now, wamid="wamid.1", phone=number)], contacts=[new]),
        body(messages=[noticed(number, later, "edit", edit, wamid="wamid.2")]),
        body(messages=[noticed(number, later, "system", moved, wamid="wamid.3")]),
    )
    chosen = "SELECT marketing_consent FROM contacts WHERE phone_number = $1"
    assert await at.value(chosen, "+491700000008") == "OPTED_OUT"


async def test_new_words_that_quote_an_old_message_can_be_applied_again(at: Desk) -> None:
    ann = await message_of(at, ANN)
    await erase(at)
    quote = {"id": f"wamid.{ann.message_id}"}
    await at.deliver(body(messages=[reply("yes please", AFTER, wamid="wamid.y", phone=ANN, context=quote)]))
    assert b"yes please" in await bodies(at)


async def test_the_same_words_again_do_not_bring_back_someone_who_hides_their_number(at: Desk) -> None:
    words = body(messages=[reply("secret", BEFORE, wamid="wamid.h", phone=ANN)])
    await at.deliver(words)
    await erase(at)
    await at.deliver(words.replace(b'"from":"' + ANN[1:].encode(), b'"from_user_id":"DE.Ann12345'))
    assert await at.value("SELECT count(*) FROM contacts WHERE whatsapp_user_id = 'DE.Ann12345'") == 0
