"""What is kept of a person goes with them, and what comes late about them or about nobody leaves nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.domain.messages import MessageRef
from tests.helpers.erasing import ANN, BOB, NOW, bodies, erase, message_of
from tests.helpers.receiving import Desk, desk
from tests.helpers.webhook_bodies import body, reply, status


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


def told(ref: MessageRef | None, number: str, *, wamid: str, **more: Any) -> dict[str, Any]:
    return {**status("delivered", NOW, wamid=wamid, ref=ref), "recipient_id": number[1:], **more}


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


async def test_a_card_of_the_person_that_someone_else_sent_goes_too(at: Desk) -> None:
    card = {"name": {"formatted_name": "Ann"}, "phones": [{"phone": "+49 170 0000001", "wa_id": ANN[1:]}]}
    told = {**reply("", NOW, wamid="wamid.e", phone=BOB), "type": "contacts", "contacts": [card]}
    await at.deliver(body(messages=[told]))
    await erase(at)
    assert b"0000001" not in await bodies(at)


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


async def test_the_planner_keeps_no_samples_of_what_people_wrote(at: Desk) -> None:
    await at.deliver(*(body(messages=[reply("secret", NOW, wamid=f"wamid.{n}", phone=ANN)]) for n in range(9)))
    await at.deliver(*(body(statuses=[told(None, ANN, wamid=f"wamid.{n}")]) for n in range(9)))
    await at.plan.connection.execute("ANALYZE")
    sampled = {(row[0], row[1]) for row in await at.plan.connection.fetch("SELECT tablename, attname FROM pg_stats")}
    words = {("webhook_deliveries", "body"), ("parked_receipts", "receipt"), ("interactions", "text"),
             ("interactions", "payload"), ("messages", "parameters"), ("contacts", "attributes")}  # fmt: skip
    assert sampled & words == set()
    assert ("interactions", "kind") in sampled


async def test_what_another_app_wrote_into_a_receipt_goes(at: Desk) -> None:
    theirs = {"recipient_id": ANN[1:], "biz_opaque_callback_data": "for Ann Abernathy"}
    await at.deliver(body(statuses=[{**status("seen", NOW, wamid="wamid.m"), **theirs}]))
    await erase(at)
    assert b"Abernathy" not in await bodies(at)


async def test_a_number_as_someone_wrote_it_on_a_card_goes(at: Desk) -> None:
    await at.deliver(body(field="cards", cards=[{"phone": "+49 (170) 00000-01"}]))
    await erase(at)
    assert b"00000-01" not in await bodies(at)
