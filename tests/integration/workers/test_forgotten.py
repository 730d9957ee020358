"""What comes late about a person who was erased, and what comes about nobody we know: nothing of it is kept."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.clock import SystemClock
from core.domain.messages import MessageRef
from server.services.erasure import erase_person
from tests.helpers.receiving import KEY, Desk, desk
from tests.helpers.webhook_bodies import body, reply, status

ANN, BOB = "+491700000001", "+491700000002"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BEFORE, AFTER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


async def contact_of(at: Desk, number: str) -> UUID:
    contact_id: UUID = await at.value("SELECT id FROM contacts WHERE phone_number = $1", number)
    return contact_id


async def erase(at: Desk, number: str = ANN) -> None:
    await erase_contact(at, await contact_of(at, number))


async def erase_contact(at: Desk, contact_id: UUID) -> None:
    async with at.store.transaction() as rooms:
        await erase_person(rooms, contact_id, hash_key=KEY, at=NOW, lease_seconds=60)


async def message_of(at: Desk, number: str) -> MessageRef:
    refs = await at.sent()
    query = "SELECT messages.id FROM messages JOIN contacts ON contacts.id = contact_id WHERE phone_number = $1"
    message_id: UUID = await at.value(query, number)
    return next(ref for ref in refs if ref.message_id == message_id)


def told(ref: MessageRef | None, number: str, *, wamid: str, **more: Any) -> dict[str, Any]:
    return {**status("delivered", NOW, wamid=wamid, ref=ref), "recipient_id": number[1:], **more}


async def bodies(at: Desk) -> bytes:
    return b"\n".join(row["body"] for row in await at.plan.connection.fetch("SELECT body FROM webhook_deliveries"))


async def test_what_was_kept_of_a_person_goes_and_what_was_kept_of_others_stays(at: Desk) -> None:
    ann, bob = await message_of(at, ANN), await message_of(at, BOB)
    await at.deliver(body(statuses=[told(ann, ANN, wamid="wamid.a"), told(bob, BOB, wamid="wamid.b")]))
    await at.deliver(body(messages=[reply("secret", NOW, wamid="wamid.c", phone=ANN)]))
    await erase(at)
    kept = await bodies(at)
    assert not [word for word in (ANN[1:].encode(), b"wamid.a", b"secret", b"wamid.c") if word in kept]
    assert BOB[1:].encode() in kept
    assert b"wamid.b" in kept
    await erase(at, BOB)
    assert BOB[1:].encode() not in await bodies(at)


@pytest.mark.parametrize("word", ["deleted", "warning", "teleported"])
async def test_a_receipt_that_moves_nothing_goes_with_its_person(at: Desk, word: str) -> None:
    ann, bob = await message_of(at, ANN), await message_of(at, BOB)
    legacy = [
        {**told(ref, number, wamid=f"wamid.{number}"), "status": word} for ref, number in ((ann, ANN), (bob, BOB))
    ]
    await at.deliver(body(statuses=legacy))
    await erase(at)
    kept = await bodies(at)
    assert ANN[1:].encode() not in kept
    assert BOB[1:].encode() in kept


async def test_a_late_receipt_still_counts_and_leaves_nothing(at: Desk) -> None:
    ann = await message_of(at, ANN)
    await erase(at)
    await at.deliver(body(statuses=[told(ann, ANN, wamid="wamid.late", recipient_user_id="DE.Ann")]))
    row = await at.message(ann)
    assert (row["state"], row["whatsapp_message_id"]) == ("DELIVERED", None)
    assert ANN[1:].encode() not in await bodies(at)
    assert b"wamid.late" not in await bodies(at)


async def test_a_late_receipt_without_our_words_is_not_parked(at: Desk) -> None:
    await erase(at)
    applied = await at.deliver(body(statuses=[told(None, ANN, wamid="wamid.late")]))
    assert applied.moved.parked_count == 0
    assert await at.value("SELECT count(*) FROM parked_receipts") == 0
    assert b"wamid.late" not in await bodies(at)


async def test_a_receipt_of_nobody_waits_in_the_park_alone(at: Desk) -> None:
    await at.deliver(body(statuses=[told(None, "+491799999999", wamid="wamid.stranger")]))
    assert await at.value("SELECT count(*) FROM parked_receipts") == 1
    assert b"wamid.stranger" not in await bodies(at)


async def test_the_card_of_a_receipt_of_nobody_goes_with_it(at: Desk) -> None:
    card = {"wa_id": ANN[1:], "profile": {"name": "Ann"}}
    await at.deliver(body(statuses=[status("sent", NOW, wamid="wamid.stranger")], contacts=[card]))
    assert ANN[1:].encode() not in await bodies(at)


async def test_a_parked_receipt_goes_with_its_person(at: Desk) -> None:
    await at.deliver(body(statuses=[told(None, ANN, wamid="wamid.early")]))
    await erase(at, BOB)
    assert await at.value("SELECT count(*) FROM parked_receipts") == 1
    await erase(at)
    assert await at.value("SELECT count(*) FROM parked_receipts") == 0


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


def mentions() -> dict[str, bytes]:
    """Bodies that name Ann in what no receipt, message or choice is."""
    receipt = {**status("delivered", NOW, wamid="wamid.m"), "recipient_id": ANN[1:]}
    card = {"wa_id": ANN[1:], "profile": {"name": "Ann"}}
    return {
        "a receipt of old": body(statuses=[{**receipt, "status": "deleted"}]),
        "a receipt to come": body(statuses=[{**receipt, "status": "teleported"}]),
        "a receipt without a time": body(statuses=[{**receipt, "timestamp": "soon"}]),
        "a field to come": body(field="calls", calls=[{"id": "call", "from": ANN[1:]}]),
        "a field with a number for a name": body(field="calls", calls={ANN[1:]: {"event": "connect"}}),
        "beside a change": around(change={"by": ANN[1:]}),
        "beside an entry's changes": around(entry={"by": {"wa_id": ANN[1:]}}),
        "beside the entries": around(document={"sent": [{"to": ANN[1:]}]}),
        "a card beside a receipt to come": body(statuses=[{"id": "wamid.m", "status": "teleported"}], contacts=[card]),
        "another app's callback data": body(
            statuses=[{**receipt, "status": "seen", "biz_opaque_callback_data": ANN[1:]}]
        ),
        "a number as it is written": body(field="cards", cards=[{"phone": "+49 (170) 00000-01"}], of=[ANN[1:]]),
        "deeper than can be written": deep(ANN),
        "a field that is the person": body(field="of_people", wa_id=ANN[1:]),
        "a field that is a list": body_with(value=[{"from": ANN[1:]}]),
        "a field that is a number": body_with(value=int(ANN[1:])),
        "a card": body(contacts=[card]),
        "a card alone": body(contacts=card),
        "a conversation elsewhere": body(field="standby", standby={"contacts": [card]}),
        "a choice to come": body(field="user_preferences", user_preferences=[{"wa_id": ANN[1:], "value": "maybe"}]),
        "no object": b'{"entry": "' + ANN[1:].encode(),
    }


def around(
    *,
    document: Mapping[str, Any] | None = None,
    entry: Mapping[str, Any] | None = None,
    change: Mapping[str, Any] | None = None,
) -> bytes:
    """Returns a body with something beside its change, its entry's changes or its entries."""
    inner = {"field": "messages", "value": {}, **(change or {})}
    return json.dumps({"entry": [{"id": "1", "changes": [inner], **(entry or {})}], **(document or {})}).encode()


def deep(number: str, levels: int = 300) -> bytes:
    """Returns a body that can be read, but not be written again."""
    return body_with(value=[{"from": number[1:]}, "deep"]).replace(b'"deep"', b"[" * levels + b"]" * levels)


def body_with(*, value: object) -> bytes:
    """Returns a body whose only change is of a field nobody knows."""
    return json.dumps({"entry": [{"id": "1", "changes": [{"field": "calls", "value": value}]}]}).encode()


@pytest.mark.parametrize("kind", mentions())
async def test_what_waited_while_its_person_was_erased_is_applied_without_them(at: Desk, kind: str) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(
            [mentions()[kind], mentions()[kind].replace(ANN[1:].encode(), BOB[1:].encode())]
        )
    await erase(at)
    await at.apply()
    kept = await bodies(at)
    assert ANN[1:].encode() not in kept
    assert BOB[1:].encode() in kept


async def test_what_names_someone_who_wrote_since_stays(at: Desk) -> None:
    await erase(at)
    await at.deliver(body(messages=[reply("hello again", AFTER, wamid="wamid.d", phone=ANN)]))
    await at.deliver(mentions()["a field to come"])
    assert b"calls" in await bodies(at)
    assert (await bodies(at)).count(ANN[1:].encode()) == 2
    await erase(at)
    assert ANN[1:].encode() not in await bodies(at)


async def test_a_card_of_the_person_that_someone_else_sent_goes_too(at: Desk) -> None:
    card = {"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+49 170 0000001", "wa_id": ANN[1:]}]}
    told = {**reply("", NOW, wamid="wamid.e", phone=BOB), "type": "contacts", "contacts": [card]}
    await at.deliver(body(messages=[told]))
    await erase(at)
    assert b"0000001" not in await bodies(at)


@pytest.mark.parametrize("waits", [True, False])
async def test_a_number_of_before_goes_with_its_person(at: Desk, *, waits: bool) -> None:
    change = "UPDATE contacts SET phone_number = '+491700000003', whatsapp_user_id = $2 WHERE phone_number = $1"
    old = [
        mentions()["a card"],
        mentions()["a choice to come"],
        body(messages=[reply("Hi", BEFORE, wamid="wamid.q", phone=ANN)]),
    ]
    if waits:
        await at.plan.connection.execute(change, ANN, None)
        async with at.store.connection() as rooms:
            await rooms.deliveries.append_deliveries(old)
    else:
        await at.deliver(*old)
        await at.plan.connection.execute(change, ANN, "DE.Ann12345")
    await erase(at, "+491700000003")
    await at.apply()
    assert ANN[1:].encode() not in await bodies(at)
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", ANN) == 0


async def test_what_stands_beside_a_number_goes_with_it(at: Desk) -> None:
    await at.deliver(body(field="people", wa_id=ANN[1:], user_id="DE.Ann12345", profile={"name": "Ann Abernathy"}))
    await erase(at)
    assert not [word for word in (b"DE.Ann12345", b"Abernathy", ANN[1:].encode()) if word in await bodies(at)]


async def test_whatsapps_words_about_a_failure_go_too(at: Desk) -> None:
    ann = await message_of(at, ANN)
    failed = status("failed", NOW, wamid="wamid.a", ref=ann, code=131026, title=f"Bad number {ANN}")
    await at.deliver(body(statuses=[failed]))
    await erase(at)
    await at.deliver(body(statuses=[{**failed, "errors": [{"code": 131049, "title": f"Bad number {ANN}"}]}]))
    row = await at.message(ann)
    assert (row["state"], row["error_title"]) == ("FAILED", "")


async def test_a_notice_about_someone_who_is_gone_is_not_kept(at: Desk) -> None:
    await erase(at)
    moved = {"type": "user_changed_number", "wa_id": "491700000003", "body": "Ann has another number"}
    notice = {
        "from": ANN[1:],
        "id": "wamid.n",
        "timestamp": str(int(AFTER.timestamp())),
        "type": "system",
        "system": moved,
    }
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
    message = {
        "from": "491700000009",
        "id": "wamid.x",
        "timestamp": str(int(NOW.timestamp())),
        "type": "edit",
        "edit": edit,
    }
    await at.deliver(body(messages=[message]))
    assert await at.value("SELECT count(*) FROM interactions") == 0
    assert await at.value("SELECT count(*) FROM consent_events WHERE consent = 'OPTED_OUT'") == 1


async def test_who_writes_again_and_changes_their_number_at_once_is_followed(at: Desk) -> None:
    await erase(at)
    now = SystemClock().now()
    moved = {"type": "user_changed_number", "wa_id": "491700000003"}
    later = str(int(now.timestamp()) + 5)
    notice = {"from": ANN[1:], "id": "wamid.n", "timestamp": later, "type": "system", "system": moved}
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


async def test_the_card_of_someone_whose_other_words_stay_does_too(at: Desk) -> None:
    shared = {"phones": [{"wa_id": ANN[1:]}]}
    told = [{**reply("", NOW, wamid="wamid.e", phone=BOB), "type": "contacts", "contacts": [shared]},
            reply("Bob's words", NOW, wamid="wamid.f", phone=BOB)]  # fmt: skip
    await at.deliver(body(messages=told, contacts=[{"wa_id": BOB[1:], "profile": {"name": "Bob Bartholomew"}}]))
    await erase(at)
    kept = await bodies(at)
    assert ANN[1:].encode() not in kept
    assert b"Bob's words" in kept
    assert b"Bartholomew" in kept


async def test_nothing_tells_by_whom_a_body_was_that_is_redacted_when_applied(at: Desk) -> None:
    await erase(at)
    await at.deliver(mentions()["a field to come"])
    assert await at.value("SELECT traces FROM webhook_deliveries") == []


async def test_a_body_that_fails_again_and_again_is_set_aside_without_the_person(at: Desk) -> None:
    await at.plan.connection.execute("ALTER TABLE interactions ADD CONSTRAINT refuse CHECK (text <> 'spoils')")
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([spoiling(ANN), spoiling(BOB)])
    await erase(at)
    for _ in range(6):
        await at.apply()
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0
    assert ANN[1:].encode() not in await bodies(at)
    assert BOB[1:].encode() in await bodies(at)


def spoiling(number: str) -> bytes:
    """Returns a body that no table takes, and that names someone beside."""
    return body(
        messages=[reply("spoils", AFTER, wamid="wamid.s" + number[-1], phone="+491700000009")],
        calls=[{"to": number[1:]}],
    )


async def test_the_planner_keeps_no_samples_of_what_people_wrote(at: Desk) -> None:
    await at.deliver(*(body(messages=[reply("secret", NOW, wamid=f"wamid.{n}", phone=ANN)]) for n in range(9)))
    await at.deliver(*(body(statuses=[told(None, ANN, wamid=f"wamid.{n}")]) for n in range(9)))
    await at.plan.connection.execute("ANALYZE")
    sampled = {(row[0], row[1]) for row in await at.plan.connection.fetch("SELECT tablename, attname FROM pg_stats")}
    words = {("webhook_deliveries", "body"), ("parked_receipts", "receipt"), ("interactions", "text"),
             ("interactions", "payload"), ("messages", "parameters"), ("contacts", "attributes")}  # fmt: skip
    assert sampled & words == set()
    assert ("interactions", "kind") in sampled


async def test_a_body_that_was_set_aside_is_emptied_when_it_tells_of_the_person(at: Desk) -> None:
    await at.deliver(b'{"entry": "' + ANN[1:].encode(), b'{"entry": "' + BOB[1:].encode())
    await erase(at)
    assert ANN[1:].encode() not in await bodies(at)
    assert BOB[1:].encode() in await bodies(at)
