"""Receipts applied to rows: forward only, in any order, twice, early, late, or for nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from tests.helpers.receiving import KEY, NOW, Desk, desk
from tests.helpers.webhook_bodies import body, status
from workers.tasks.consequences import pause_campaigns
from workers.tasks.receipts import apply_batch

NUMBERS = ["+491700000001", "+491700000002"]
LATER = NOW + timedelta(seconds=30)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, NUMBERS) as made:
        yield made


def wamid(ref: MessageRef) -> str:
    return f"wamid.{ref.message_id}"


async def test_receipts_carry_a_message_to_read_and_keep_each_time(at: Desk) -> None:
    ref, other = await at.sent()
    steps = [
        status(word, NOW + timedelta(seconds=n), wamid=wamid(ref), ref=ref)
        for n, word in enumerate(("sent", "delivered", "read"))
    ]
    await at.deliver(body(statuses=steps[:2]), body(statuses=steps[2:]))
    row = await at.message(ref)
    assert row["state"] == "READ"
    assert [row["send_time"], row["deliver_time"], row["read_time"]] == [NOW + timedelta(seconds=n) for n in range(3)]
    assert (await at.message(other))["state"] == "ACCEPTED"


async def test_a_late_sent_does_not_pull_a_read_message_back(at: Desk) -> None:
    ref, _ = await at.sent()
    await at.deliver(body(statuses=[status("read", LATER, wamid=wamid(ref), ref=ref)]))
    await at.deliver(body(statuses=[status("sent", NOW, wamid=wamid(ref), ref=ref)]))
    row = await at.message(ref)
    assert (row["state"], row["read_time"], row["send_time"]) == ("READ", LATER, NOW)


async def test_a_receipt_of_a_year_far_ahead_tells_what_happened_as_of_when_it_came(at: Desk) -> None:
    ref, _ = await at.sent()
    told = status("delivered", NOW, wamid=wamid(ref), ref=ref)
    await at.deliver(body(statuses=[{**told, "timestamp": "99999999999"}]))
    row = await at.message(ref)
    assert row["state"] == "DELIVERED"
    assert row["deliver_time"] == await at.value("SELECT receive_time FROM webhook_deliveries")
    assert await at.value("SELECT max(minute) <= now() FROM minute_counters")
    assert await at.value("SELECT unknown FROM webhook_deliveries") == {"future timestamp": 1}


async def test_a_receipt_that_comes_again_writes_nothing(at: Desk) -> None:
    ref, _ = await at.sent()
    told = body(statuses=[status("delivered", LATER, wamid=wamid(ref), ref=ref)])
    await at.deliver(told)
    version = "SELECT xmin::text FROM messages WHERE id = $1"
    before = await at.value(version, ref.message_id)
    await at.deliver(told, told)
    assert await at.value(version, ref.message_id) == before


async def test_a_failure_says_why_and_a_delivery_lifts_it(at: Desk) -> None:
    ref, _ = await at.sent()
    await at.deliver(body(statuses=[status("failed", NOW, wamid=wamid(ref), ref=ref, code=131049, title="Too many.")]))
    failed = await at.message(ref)
    assert [failed[key] for key in ("state", "reason", "error_code", "error_title")] == [
        "FAILED",
        "UNDELIVERED",
        131049,
        "Too many.",
    ]
    await at.deliver(body(statuses=[status("delivered", LATER, wamid=wamid(ref), ref=ref)]))
    lifted = await at.message(ref)
    assert [lifted[key] for key in ("state", "reason", "error_code", "error_title")] == ["DELIVERED", "", 0, ""]
    assert lifted["fail_time"] == NOW


async def test_a_failure_does_not_take_back_a_delivery(at: Desk) -> None:
    ref, _ = await at.sent()
    told = [status("delivered", NOW, wamid=wamid(ref), ref=ref), status("failed", LATER, wamid=wamid(ref), ref=ref)]
    await at.deliver(body(statuses=told[:1]), body(statuses=told[1:]))
    assert (await at.message(ref))["state"] == "DELIVERED"


@pytest.mark.parametrize(
    ("state", "reason"), [("SENDING", ""), ("UNCONFIRMED", ""), ("PENDING", ""), ("FAILED", "OUTCOME_UNKNOWN")]
)
async def test_a_receipt_settles_what_was_in_doubt(at: Desk, state: str, reason: str) -> None:
    ref, _ = await at.sent(state, reason=reason)
    await at.deliver(body(statuses=[status("sent", LATER, wamid="wamid.new", ref=ref)]))
    row = await at.message(ref)
    assert (row["state"], row["reason"], row["whatsapp_message_id"], row["accept_time"]) == (
        "SENT",
        "",
        "wamid.new",
        LATER,
    )


async def test_settling_late_does_not_undo_what_a_receipt_told(at: Desk) -> None:
    """The receipt may overtake the answer of the very call that sent the message."""
    ref, _ = await at.sent("SENDING")
    await at.deliver(body(statuses=[status("delivered", NOW, wamid="wamid.new", ref=ref)]))
    for state, whatsapp_id in (
        (MessageState.ACCEPTED, "wamid.new"),
        (MessageState.UNCONFIRMED, None),
        (MessageState.PENDING, None),
    ):
        late = Settlement(ref=ref, state=state, whatsapp_message_id=whatsapp_id)
        async with at.store.transaction() as rooms:
            await rooms.sending.settle_messages([late])
        row = await at.message(ref)
        assert (row["state"], row["deliver_time"], row["whatsapp_message_id"]) == ("DELIVERED", NOW, "wamid.new")


async def test_a_receipt_without_our_words_is_known_by_whatsapps_id(at: Desk) -> None:
    ref, _ = await at.sent()
    await at.deliver(body(statuses=[status("delivered", LATER, wamid=wamid(ref))]))
    assert (await at.message(ref))["state"] == "DELIVERED"


async def test_a_receipt_before_its_message_is_known_waits_for_it(at: Desk) -> None:
    ref, _ = await at.sent("SENDING")
    applied = await at.deliver(body(statuses=[status("delivered", LATER, wamid="wamid.early")]))
    assert applied.moved.parked_count == 1
    await at.retry(now=NOW)
    assert await at.value("SELECT count(*) FROM parked_receipts") == 1, "it is not due yet"
    await at.value(
        "UPDATE messages SET whatsapp_message_id = 'wamid.early', state = 'ACCEPTED' WHERE id = $1", ref.message_id
    )
    await at.retry(now=NOW + timedelta(seconds=2))
    assert (await at.message(ref))["state"] == "DELIVERED"
    assert await at.value("SELECT count(*) FROM parked_receipts") == 0


async def test_a_receipt_of_nobody_is_given_up_after_an_hour(at: Desk) -> None:
    await at.deliver(body(statuses=[status("delivered", NOW, wamid="wamid.nobody")]))
    for minutes in (1, 30, 59):
        await at.retry(now=NOW + timedelta(minutes=minutes))
        assert await at.value("SELECT count(*) FROM parked_receipts") == 1
    await at.retry(now=NOW + timedelta(minutes=61))
    assert await at.value("SELECT count(*) FROM parked_receipts") == 0


async def test_receipts_of_two_attempts_prove_a_double(at: Desk) -> None:
    ref, _ = await at.sent(attempt=2)
    first = MessageRef(campaign_id=ref.campaign_id, message_id=ref.message_id, attempt=1)
    await at.deliver(body(statuses=[status("delivered", LATER, wamid="wamid.first", ref=first)]))
    doubles = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"
    assert await at.value(doubles) == 1
    assert (await at.message(ref))["state"] == "DELIVERED"


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_a_double_is_proven_whichever_attempt_is_heard_of_first(at: Desk, order: tuple[int, int]) -> None:
    ref, _ = await at.sent("SENDING", attempt=2)
    doubles = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"
    for attempt in order:
        assert await at.value(doubles) == 0
        told = MessageRef(campaign_id=ref.campaign_id, message_id=ref.message_id, attempt=attempt)
        await at.deliver(body(statuses=[status("sent", LATER, wamid=f"wamid.{attempt}", ref=told)]))
    assert await at.value(doubles) == 1


async def test_an_older_attempt_settles_a_message_that_waits_to_be_sent_again_without_being_a_double(at: Desk) -> None:
    ref, _ = await at.sent("PENDING", attempt=2)
    first = MessageRef(campaign_id=ref.campaign_id, message_id=ref.message_id, attempt=1)
    await at.deliver(body(statuses=[status("sent", NOW, wamid="wamid.first", ref=first)]))
    await at.deliver(body(statuses=[status("delivered", LATER, wamid="wamid.first", ref=first)]))
    assert (await at.message(ref))["state"] == "DELIVERED"
    assert await at.value("SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL") == 0


async def test_deliveries_tell_who_is_on_whatsapp_and_failures_who_is_not(at: Desk) -> None:
    reached, absent = await at.sent()
    told = [
        status("delivered", NOW, wamid=wamid(reached), ref=reached),
        status("failed", NOW, wamid=wamid(absent), ref=absent, code=131026),
    ]
    await at.deliver(body(statuses=told))
    states = "SELECT whatsapp_state FROM contacts JOIN messages ON contacts.id = contact_id WHERE messages.id = $1"
    assert await at.value(states, reached.message_id) == "VERIFIED"
    assert await at.value(states, absent.message_id) == "UNKNOWN"
    found = []
    for hours, word in (
        (1, "failed"),
        (24, "failed"),
        (25, "delivered"),
        (48, "failed"),
        (49, "failed"),
        (72, "failed"),
    ):
        ref = (await at.sent())[1]
        told = [status(word, NOW + timedelta(hours=hours), wamid=wamid(ref), ref=ref, code=131026)]
        await at.deliver(body(statuses=told))
        found.append(await at.value(states, ref.message_id))
    assert found == ["UNKNOWN", "ABSENT", "VERIFIED", "VERIFIED", "VERIFIED", "ABSENT"]


@pytest.mark.parametrize("code", [131026, 130403])
async def test_who_is_absent_by_now_is_not_back_for_a_delivery_of_before(at: Desk, code: int) -> None:
    ref, _ = await at.sent()
    before = body(statuses=[status("delivered", NOW, wamid=wamid(ref), ref=ref)])
    await at.deliver(before)
    for days in (1, 2):
        ref = (await at.sent())[0]
        failed = status("failed", NOW + timedelta(days=days), wamid=wamid(ref), ref=ref, code=code)
        await at.deliver(body(statuses=[failed]))
    state = "SELECT whatsapp_state FROM contacts JOIN messages ON contacts.id = contact_id WHERE messages.id = $1"
    assert await at.value(state, ref.message_id) == "ABSENT"
    for is_news in (False, True):
        if is_news:
            await at.sent()
        await at.deliver(before)
        assert await at.value(state, ref.message_id) == "ABSENT"


async def test_a_contact_known_to_be_on_whatsapp_is_not_written_again(at: Desk) -> None:
    ref, _ = await at.sent()
    version = (
        "SELECT contacts.xmin::text FROM contacts JOIN messages ON contacts.id = contact_id WHERE messages.id = $1"
    )
    seen = []
    for word in ("delivered", "read"):
        await at.deliver(body(statuses=[status(word, NOW, wamid=wamid(ref), ref=ref)]))
        seen.append(await at.value(version, ref.message_id))
    assert seen[0] == seen[1]


async def test_a_message_that_left_its_state_is_not_written_over(at: Desk) -> None:
    ref, _ = await at.sent("SENDING")
    async with at.store.transaction() as rooms:
        (old,) = await rooms.receipts.lock_messages([ref])
        stale = replace(old, state=MessageState.PENDING)
        await rooms.receipts.move_messages([(stale, replace(old, state=MessageState.SENT))])
    assert (await at.message(ref))["state"] == "SENDING"


async def test_an_erased_person_gets_no_whatsapp_id_back(at: Desk) -> None:
    ref, _ = await at.sent()
    await at.value("UPDATE messages SET contact_id = NULL, whatsapp_message_id = NULL WHERE id = $1", ref.message_id)
    await at.deliver(body(statuses=[status("read", NOW, wamid="wamid.person", ref=ref)]))
    row = await at.message(ref)
    assert (row["state"], row["whatsapp_message_id"]) == ("READ", None)


async def test_a_failure_without_an_error_says_nothing_of_the_token_and_pauses_nothing(at: Desk) -> None:
    ref, _ = await at.sent()
    told = {**status("failed", NOW, wamid=wamid(ref), ref=ref), "errors": []}
    applied = await at.deliver(body(statuses=[told]))
    assert (await at.message(ref))["state"] == "FAILED"
    await pause_campaigns(at.store, applied.moved.failures())
    assert await at.value("SELECT state FROM campaigns") == "RUNNING"


async def test_a_template_at_fault_pauses_its_campaign_only_when_receipts_say_so(at: Desk) -> None:
    ref, _ = await at.sent()
    applied = await at.deliver(body(statuses=[status("failed", NOW, wamid=wamid(ref), ref=ref, code=132015)]))
    await pause_campaigns(at.store, applied.moved.failures())
    assert await at.value("SELECT pause_source FROM campaigns WHERE state = 'PAUSED'") == "TEMPLATE"


async def test_a_failure_told_again_pauses_no_campaign_that_was_resumed_since(at: Desk) -> None:
    ref, _ = await at.sent()
    told = body(statuses=[status("failed", NOW, wamid=wamid(ref), ref=ref, code=132015)])
    await pause_campaigns(at.store, (await at.deliver(told)).moved.failures())
    await at.value("UPDATE campaigns SET state = 'RUNNING', pause_source = ''")
    await pause_campaigns(at.store, (await at.deliver(told)).moved.failures())
    assert await at.value("SELECT state FROM campaigns") == "RUNNING"


async def test_a_body_that_is_no_json_is_set_aside_and_the_others_go_on(at: Desk) -> None:
    ref, _ = await at.sent()
    await at.deliver(b"<html>", body(statuses=[status("read", NOW, wamid=wamid(ref), ref=ref)]), b"[1]")
    assert (await at.message(ref))["state"] == "READ"
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NOT NULL AND error <> ''") == 2
    assert (await at.apply()).delivery_count == 0


@pytest.mark.parametrize(("size", "limit"), [(10, 2), (170 * 2**10, 100)])
async def test_only_a_batch_that_is_cut_short_by_number_or_size_says_that_there_is_more(
    at: Desk, size: int, limit: int
) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([b" " * size + b"{}"] * 3)
    batches = [await apply_batch(at.store, now=NOW, hash_key=KEY, limit=limit) for _ in range(2)]
    assert [(batch.delivery_count, batch.more) for batch in batches] == [(2, True), (1, False)]


async def test_the_number_of_statements_does_not_depend_on_the_number_of_receipts(at: Desk) -> None:
    refs = await at.sent()
    at.database.forget()
    await at.deliver(body(statuses=[status("delivered", NOW, wamid=wamid(refs[0]), ref=refs[0])]))
    one = list(at.database.statements)
    at.database.forget()
    await at.deliver(
        body(
            statuses=[
                status(word, LATER, wamid=wamid(ref), ref=ref) for word in ("sent", "delivered", "read") for ref in refs
            ]
        )
    )
    assert at.database.statements == one
