"""Who hides their number and says stop is heard for each contact of theirs: ids are learned from receipts too."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core.domain.messages import MessageRef
from core.domain.traces import traces
from tests.helpers.receiving import KEY, NOW, Desk, desk
from tests.helpers.webhook_bodies import body, reply, status

ANN, BOB = "+491700000001", "+491700000002"
SOON = NOW + timedelta(minutes=5)
HER_ID = "DE.Ann12345"
BY_ID = "SELECT marketing_consent FROM contacts WHERE whatsapp_user_id = $1"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


async def contact(at: Desk, column: str, phone: str = ANN) -> Any:
    return await at.value(f"SELECT {column} FROM contacts WHERE phone_number = $1", phone)  # noqa: S608  # a column


async def ref_of(at: Desk, phone: str = ANN) -> MessageRef:
    refs = await at.sent()
    message_id = await at.value("SELECT id FROM messages WHERE contact_id = $1", await contact(at, "id", phone))
    return next(ref for ref in refs if ref.message_id == message_id)


def told(ref: MessageRef, word: str = "delivered", user_id: str = HER_ID, seconds: int = 0) -> dict[str, Any]:
    time = NOW + timedelta(seconds=seconds)
    return {**status(word, time, wamid=f"wamid.{ref.message_id}", ref=ref), "recipient_user_id": user_id}


def stop(*, wamid: str = "wamid.stop", phone: str = "", **more: Any) -> dict[str, Any]:
    words = reply("STOP", SOON, wamid=wamid, phone=phone, from_user_id=HER_ID, **more)
    return {key: value for key, value in words.items() if value}


def chosen(value: str = "stop") -> bytes:
    choice = {"user_id": HER_ID, "value": value, "timestamp": int(SOON.timestamp())}
    return body("user_preferences", user_preferences=[choice])


async def add_by_id(at: Desk) -> None:
    await at.value("INSERT INTO contacts (whatsapp_user_id) VALUES ($1)", HER_ID)


async def test_a_stop_without_a_number_reaches_the_contact_whose_receipt_told_the_id(at: Desk) -> None:
    await at.deliver(body(statuses=[told(await ref_of(at))]))
    assert await contact(at, "whatsapp_user_id") == HER_ID
    await at.deliver(body(messages=[stop()]))
    assert await contact(at, "marketing_consent") == "OPTED_OUT"
    assert await contact(at, "marketing_consent", BOB) == "UNKNOWN"
    assert await at.value("SELECT count(*) FROM contacts") == 2


async def test_the_card_beside_a_receipt_tells_the_id_too(at: Desk) -> None:
    receipt = status("delivered", NOW, wamid="wamid.1", ref=await ref_of(at)) | {"recipient_id": ANN[1:]}
    cards = [{"wa_id": BOB[1:], "user_id": "DE.Bob12345"}, {"wa_id": ANN[1:], "user_id": HER_ID}]
    await at.deliver(body(statuses=[receipt], contacts=cards))
    assert await contact(at, "whatsapp_user_id") == HER_ID


async def test_a_stop_that_came_before_the_id_was_told_counts_once_it_is(at: Desk) -> None:
    ref = await ref_of(at)
    await at.deliver(body(messages=[stop()]))
    await at.deliver(body(statuses=[told(ref)]))
    assert await contact(at, "marketing_consent || ' ' || consent_source") == "OPTED_OUT STOP_REPLY"
    assert await contact(at, "consent_time") == SOON
    assert await contact(at, "whatsapp_user_id") is None, "another contact has it"
    await at.deliver(body(statuses=[told(ref, "read", seconds=1)]))
    assert await at.value("SELECT count(*) FROM consent_events") == 2, "one for each contact"


async def test_a_stop_that_quotes_reaches_who_got_that_message_beside_the_contact_with_the_id(at: Desk) -> None:
    ref = await ref_of(at)
    await add_by_id(at)
    await at.deliver(body(messages=[stop(context={"id": f"wamid.{ref.message_id}"})]))
    assert await contact(at, "marketing_consent") == "OPTED_OUT"
    assert await at.value(BY_ID, HER_ID) == "OPTED_OUT"


async def test_a_stop_with_number_and_id_reaches_the_contacts_of_both(at: Desk) -> None:
    await add_by_id(at)
    await at.deliver(body(messages=[stop(phone=ANN)]))
    assert await contact(at, "marketing_consent") == "OPTED_OUT"
    assert await at.value(BY_ID, HER_ID) == "OPTED_OUT"


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_a_choice_under_the_id_alone_reaches_the_contact_whose_receipt_told_it(
    at: Desk, *, is_told_first: bool
) -> None:
    bodies = [body(statuses=[told(await ref_of(at))]), chosen()]
    for each in bodies if is_told_first else reversed(bodies):
        await at.deliver(each)
    assert await contact(at, "marketing_consent || ' ' || consent_source") == "OPTED_OUT WHATSAPP_PREFERENCE"


async def test_a_choice_under_the_id_alone_counts_when_the_person_writes_with_number_and_id(at: Desk) -> None:
    await at.deliver(chosen())
    await at.deliver(body(messages=[reply("Hello", SOON, wamid="wamid.in", phone=ANN, from_user_id=HER_ID)]))
    assert await contact(at, "marketing_consent") == "OPTED_OUT"


async def test_a_yes_given_since_is_not_undone_by_an_id_that_is_told(at: Desk) -> None:
    ref = await ref_of(at)
    await at.deliver(chosen())
    later = SOON + timedelta(seconds=5)
    await at.value("UPDATE contacts SET marketing_consent = 'OPTED_IN', consent_time = $1", later)
    await at.deliver(body(statuses=[told(ref)]))
    assert await contact(at, "marketing_consent") == "OPTED_IN"


async def test_receipts_that_teach_nothing_cost_no_statement(at: Desk) -> None:
    ref = await ref_of(at)
    await at.deliver(body(statuses=[told(ref, "sent")]))
    await at.deliver(body(statuses=[told(ref)]))
    at.database.forget()
    await at.deliver(body(statuses=[told(ref, "read", seconds=1)]))
    known = list(at.database.statements)
    await at.value("UPDATE messages SET state = 'DELIVERED', read_time = NULL")
    at.database.forget()
    nameless = told(ref, "read", seconds=2)
    del nameless["recipient_user_id"]
    await at.deliver(body(statuses=[nameless]))
    assert known == list(at.database.statements)


async def test_a_contact_that_is_known_is_not_written_again_for_its_id(at: Desk) -> None:
    ref = await ref_of(at)
    await at.deliver(body(statuses=[told(ref)]))
    written = await contact(at, "xmin::text || ctid::text")
    await at.deliver(body(statuses=[told(ref, "read", seconds=1)]))
    assert await contact(at, "xmin::text || ctid::text") == written


async def test_two_contacts_whose_receipts_tell_one_id_spoil_no_batch(at: Desk) -> None:
    await at.deliver(body(statuses=[told(ref) for ref in await at.sent()]))
    assert await at.value("SELECT count(*) FROM contacts WHERE whatsapp_user_id = $1", HER_ID) == 1
    assert await at.value("SELECT count(*) FROM messages WHERE state = 'DELIVERED'") == 2


async def test_a_contact_that_others_hold_is_waited_for_by_no_receipt_that_tells_its_id(at: Desk) -> None:
    ref = await ref_of(at)
    await at.value("UPDATE contacts SET whatsapp_state = 'VERIFIED'")
    async with at.database.transaction() as holder:
        await holder.fetchval("SELECT id FROM contacts WHERE phone_number = $1 FOR UPDATE", ANN)
        await at.deliver(body(statuses=[told(ref)]))
    assert await contact(at, "whatsapp_user_id") is None
    await at.deliver(body(statuses=[told(ref, "read", seconds=1)]))
    assert await contact(at, "whatsapp_user_id") == HER_ID


@pytest.mark.parametrize(("seconds", "learned"), [(1, None), (-1, HER_ID)])
async def test_the_id_of_someone_erased_is_learned_only_from_what_was_sent_since(
    at: Desk, seconds: int, learned: str | None
) -> None:
    ref = await ref_of(at)
    async with at.store.transaction() as rooms:
        await rooms.erasure.remember_erasure(traces(KEY, [HER_ID]), at=NOW + timedelta(seconds=seconds))
    await at.deliver(body(statuses=[told(ref)]))
    assert await contact(at, "whatsapp_user_id") == learned


@pytest.mark.parametrize(("yes", "expected"), [(0.5, "OPTED_OUT"), (0.0, "OPTED_OUT"), (1.0, "OPTED_IN")])
async def test_a_stop_counts_against_a_yes_of_the_same_second(at: Desk, yes: float, expected: str) -> None:
    time = SOON + timedelta(seconds=yes)
    await at.value("UPDATE contacts SET marketing_consent = 'OPTED_IN', consent_time = $1", time)
    await at.deliver(body(messages=[stop(phone=ANN)]))
    assert await contact(at, "marketing_consent") == expected


@pytest.mark.parametrize("values", [("stop", "resume"), ("resume", "stop")])
async def test_of_a_yes_and_a_no_that_whatsapp_tells_of_the_same_second_the_no_counts(
    at: Desk, values: tuple[str, str]
) -> None:
    await add_by_id(at)
    await at.deliver(*(chosen(value) for value in values))
    assert await at.value(BY_ID, HER_ID) == "OPTED_OUT"
    await at.value("UPDATE contacts SET marketing_consent = 'UNKNOWN', consent_time = NULL")
    await at.value("DELETE FROM consent_events")
    for value in values:
        await at.deliver(chosen(value))
    assert await at.value(BY_ID, HER_ID) == "OPTED_OUT"
