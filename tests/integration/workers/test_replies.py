"""What people do: attributed to messages, opening windows, and stopping marketing when they say so."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.domain.messages import MessageRef
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import account_body, body, reply, status

ANN, BOB, STRANGER = "+491700000001", "+491700000002", "+491799999999"
SOON = NOW + timedelta(minutes=5)
INTERACTION = "SELECT message_id FROM interactions WHERE whatsapp_message_id = $1"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


async def contact(at: Desk, phone: str, column: str) -> Any:
    return await at.value(f"SELECT {column} FROM contacts WHERE phone_number = $1", phone)  # noqa: S608  # a column


async def ref_of(at: Desk, phone: str) -> MessageRef:
    refs = await at.sent()
    contact_id = await contact(at, phone, "id")
    message_id = await at.value("SELECT id FROM messages WHERE contact_id = $1", contact_id)
    return next(ref for ref in refs if ref.message_id == message_id)


async def test_a_reply_that_quotes_belongs_to_the_quoted_message(at: Desk) -> None:
    ref = await ref_of(at, ANN)
    quote = {"from": "1", "id": f"wamid.{ref.message_id}"}
    await at.deliver(body(messages=[reply("Yes!", SOON, wamid="wamid.in", phone=ANN, context=quote)]))
    row = await at.plan.connection.fetchrow("SELECT campaign_id, message_id, contact_id, kind, text FROM interactions")
    assert row is not None
    assert tuple(row) == (ref.campaign_id, ref.message_id, await contact(at, ANN, "id"), "TEXT", "Yes!")


@pytest.mark.parametrize(("hours", "attributed"), [(1, True), (71, True), (73, False)])
async def test_a_reply_that_quotes_nothing_belongs_to_the_latest_message_of_three_days(
    at: Desk, hours: int, *, attributed: bool
) -> None:
    ref = await ref_of(at, ANN)
    told = reply("Yes!", NOW + timedelta(hours=hours), wamid="wamid.in", phone=ANN)
    await at.deliver(body(messages=[told]))
    assert await at.value(INTERACTION, "wamid.in") == (ref.message_id if attributed else None)


async def test_a_reply_delivered_twice_is_one_interaction(at: Desk) -> None:
    await at.sent()
    told = body(messages=[reply("Yes!", SOON, wamid="wamid.in", phone=ANN)])
    await at.deliver(told, told)
    await at.deliver(told)
    assert await at.value("SELECT count(*) FROM interactions") == 1


async def test_a_reply_opens_the_window_for_a_day_and_an_older_one_does_not_shorten_it(at: Desk) -> None:
    await at.sent()
    await at.deliver(body(messages=[reply("b", SOON, wamid="wamid.2", phone=ANN)]))
    await at.deliver(body(messages=[reply("a", NOW, wamid="wamid.1", phone=ANN)]))
    assert await at.value("SELECT expire_time FROM service_windows") == SOON + timedelta(hours=24)


async def test_a_stranger_who_writes_becomes_a_contact(at: Desk) -> None:
    cards = [{"profile": {"name": "Eve"}, "wa_id": STRANGER[1:], "user_id": "DE.7"}]
    await at.deliver(body(contacts=cards, messages=[reply("Hello?", SOON, wamid="wamid.in", phone=STRANGER)]))
    assert await contact(at, STRANGER, "display_name || whatsapp_user_id || whatsapp_state") == "EveDE.7VERIFIED"
    assert await at.value("SELECT contact_id FROM interactions") == await contact(at, STRANGER, "id")


async def test_a_contact_known_by_number_learns_whatsapps_id_and_is_known_by_it_then(at: Desk) -> None:
    cards = [{"profile": {"name": "Ann"}, "wa_id": ANN[1:], "user_id": "DE.1"}]
    await at.deliver(body(contacts=cards, messages=[reply("a", SOON, wamid="wamid.1", phone=ANN)]))
    hidden = {**reply("b", SOON, wamid="wamid.2", phone=""), "from_user_id": "DE.1"}
    await at.deliver(body(messages=[hidden]))
    assert await at.value("SELECT count(DISTINCT contact_id) FROM interactions") == 1
    assert await at.value("SELECT count(*) FROM contacts") == 2


async def test_a_person_who_hides_their_number_is_known_by_the_message_they_answer(at: Desk) -> None:
    ref = await ref_of(at, ANN)
    quote = {"id": f"wamid.{ref.message_id}"}
    hidden = {**reply("b", SOON, wamid="wamid.2", phone="", context=quote), "from_user_id": "DE.1"}
    await at.deliver(body(messages=[hidden]))
    assert await contact(at, ANN, "whatsapp_user_id") == "DE.1"


@pytest.mark.parametrize(("state", "days"), [("ABSENT", 2), ("UNKNOWN", 0), ("VERIFIED", 1)])
async def test_who_writes_is_on_whatsapp(at: Desk, state: str, days: int) -> None:
    date = NOW.date() - timedelta(days=1) if days else None
    await at.value("UPDATE contacts SET whatsapp_state = $1, absent_days = $2, absent_date = $3", state, days, date)
    await at.deliver(body(messages=[reply("Hello", SOON, wamid="wamid.in", phone=ANN)]))
    assert await contact(at, ANN, "whatsapp_state || ' ' || absent_days") == "VERIFIED 0"
    assert await contact(at, BOB, "whatsapp_state || ' ' || absent_days") == f"{state} {days}"


async def test_old_words_of_whoever_was_found_to_be_absent_since_bring_them_not_back(at: Desk) -> None:
    await at.value("UPDATE contacts SET whatsapp_state = 'ABSENT', absent_date = $1", NOW.date() + timedelta(days=1))
    told = body(messages=[reply("Hello", SOON, wamid="wamid.in", phone=ANN)])
    await at.deliver(told)
    assert await contact(at, ANN, "whatsapp_state") == "ABSENT"


async def test_that_someone_wrote_who_is_known_to_be_on_whatsapp_costs_no_statement(at: Desk) -> None:
    counts = []
    for number in range(2):
        at.database.forget()
        await at.deliver(body(messages=[reply("Hello", SOON, wamid=f"wamid.{number}", phone=ANN)]))
        counts.append(len(at.database.statements))
    assert counts[0] == counts[1] + 1


async def test_what_comes_to_a_number_that_is_not_ours_is_not_kept(at: Desk) -> None:
    told = [reply("Yes!", SOON, wamid="wamid.in", phone=ANN)]
    await at.deliver(body(phone_number_id="999", messages=told))
    assert await at.value("SELECT count(*) FROM interactions") == 0


async def test_stop_opts_out_with_proof_and_skips_what_waits_of_marketing(at: Desk) -> None:
    await at.deliver(body(messages=[reply(" Stop! ", SOON, wamid="wamid.in", phone=ANN)]))
    assert await contact(at, ANN, "marketing_consent || ' ' || consent_source") == "OPTED_OUT STOP_REPLY"
    assert await contact(at, ANN, "consent_time") == SOON
    assert await at.value("SELECT evidence FROM consent_events WHERE consent = 'OPTED_OUT'") == "wamid.in"
    states = """SELECT messages.state || ' ' || reason FROM messages JOIN contacts ON contacts.id = contact_id
        WHERE phone_number = $1"""
    assert await at.value(states, ANN) == "SKIPPED OPTED_OUT"
    assert await at.value(states, BOB) == "PENDING "


async def test_stop_leaves_what_is_not_marketing(at: Desk) -> None:
    await at.value("UPDATE templates SET template_category = 'UTILITY'")
    await at.deliver(body(messages=[reply("STOP", SOON, wamid="wamid.in", phone=ANN)]))
    assert await contact(at, ANN, "marketing_consent") == "OPTED_OUT"
    assert await at.plan.states() == {"PENDING": 2}


async def test_stop_delivered_twice_is_one_proof(at: Desk) -> None:
    told = body(messages=[reply("STOP", SOON, wamid="wamid.in", phone=ANN)])
    await at.deliver(told)
    await at.deliver(told)
    assert await at.value("SELECT count(*) FROM consent_events") == 1


async def test_a_stop_that_comes_late_does_not_undo_a_later_yes(at: Desk) -> None:
    await at.value("UPDATE contacts SET marketing_consent = 'OPTED_IN', consent_time = $1", SOON)
    await at.deliver(body(messages=[reply("STOP", NOW, wamid="wamid.in", phone=ANN)]))
    assert await contact(at, ANN, "marketing_consent") == "OPTED_IN"


async def test_a_tapped_stop_button_opts_out(at: Desk) -> None:
    tapped = {
        **reply("", SOON, wamid="wamid.in", phone=ANN),
        "type": "button",
        "button": {"payload": "STOP", "text": "No more"},
    }
    await at.deliver(body(messages=[tapped]))
    assert await contact(at, ANN, "consent_source") == "STOP_BUTTON"


async def test_choices_in_whatsapp_stop_and_resume_marketing(at: Desk) -> None:
    for value, seconds, expected in (("stop", 0, "OPTED_OUT"), ("resume", 60, "OPTED_IN")):
        time = int(NOW.timestamp()) + seconds
        choice = {"wa_id": ANN[1:], "category": "marketing_messages", "value": value, "timestamp": time}
        told = body("user_preferences", user_preferences=[choice])
        await at.deliver(told, told)
        assert await contact(at, ANN, "marketing_consent") == expected
    assert await at.value("SELECT count(*) FROM consent_events") == 2


async def test_a_strangers_choice_is_kept_as_proof_and_honoured_when_they_write(at: Desk) -> None:
    choice = {"wa_id": STRANGER[1:], "value": "stop", "timestamp": int(NOW.timestamp())}
    await at.deliver(body("user_preferences", user_preferences=[choice]))
    assert await at.value("SELECT count(*) FROM contacts") == 2
    await at.deliver(body(messages=[reply("Hello", SOON, wamid="wamid.in", phone=STRANGER)]))
    assert await contact(at, STRANGER, "marketing_consent") == "OPTED_OUT"


async def test_whatsapps_refusal_to_carry_marketing_is_an_opt_out(at: Desk) -> None:
    ref = await ref_of(at, ANN)
    failed = status("failed", SOON, wamid="wamid.x", ref=ref, code=131050)
    await at.deliver(body(statuses=[failed]), body(statuses=[failed]))
    assert await contact(at, ANN, "marketing_consent || ' ' || consent_source") == "OPTED_OUT WHATSAPP_ERROR_131050"
    assert await at.value("SELECT count(*) FROM consent_events") == 1


async def test_a_paused_template_is_noted_unless_it_was_synced_since(at: Desk) -> None:
    event = {"event": "PAUSED", "message_template_id": 900, "reason": "NONE"}
    state = "SELECT state FROM templates"
    await at.value("UPDATE templates SET sync_time = $1", NOW)
    await at.deliver(account_body("message_template_status_update", event, time=int(NOW.timestamp()) - 60))
    assert await at.value(state) == "APPROVED"
    await at.deliver(account_body("message_template_status_update", event, time=int(NOW.timestamp()) + 60))
    assert await at.value(state) == "PAUSED"


async def test_the_number_of_statements_does_not_depend_on_the_number_of_replies(at: Desk) -> None:
    counts = []
    for batch, size in enumerate((1, 20)):
        at.database.forget()
        told = [reply("STOP", SOON, wamid=f"wamid.{batch}.{n}", phone=f"+49171{batch}0000{n:02d}") for n in range(size)]
        await at.deliver(body(messages=told))
        counts.append(list(at.database.statements))
    assert counts[0] == counts[1]
