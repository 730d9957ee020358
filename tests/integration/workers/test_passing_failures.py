"""A failure that passes, told by a receipt: the message goes out again, unless somebody may get two of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.repositories.sending import BOTTOM
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status
from workers.settler import write
from workers.tasks.upkeep import REOPENED_FOR

PASSING = 131016
TOLD = (("sent", 0), ("failed", PASSING))
DOUBLES = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"
COUNTED = """
    SELECT jsonb_object_agg(state, count)
    FROM (SELECT state, sum(count) AS count FROM counters WHERE scope_id = $1 GROUP BY 1
        HAVING sum(count) <> 0) AS told"""
MINUTES = """
    SELECT jsonb_object_agg(milestone, count)
    FROM (SELECT milestone, sum(count) AS count FROM minute_counters WHERE scope_id = $1 GROUP BY 1) AS told
    WHERE count <> 0"""
WAITS = "SELECT extract(epoch FROM not_before_time - $1)::float FROM messages"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        yield made


async def tell(at: Desk, word: str, ref: MessageRef, *, code: int = 0, hours: float = 0) -> None:
    told = status(word, NOW + timedelta(hours=hours), wamid=f"wamid.{ref.attempt}", ref=ref, code=code)
    await at.deliver(body(statuses=[told]))


async def claim(at: Desk, ref: MessageRef) -> MessageRef:
    """A worker takes the message again when its time has come."""
    (taken,) = await claimed(at, ref)
    assert taken.message_id == ref.message_id
    return taken


async def claimed(at: Desk, ref: MessageRef) -> list[MessageRef]:
    """A worker takes what it may of the message's campaign when the time has come."""
    await at.value("UPDATE messages SET not_before_time = '2020-01-01'")
    async with at.store.connection() as rooms:
        claims = await rooms.sending.claim_messages({ref.campaign_id: BOTTOM}, limit=9, lease_seconds=60)
    return [one.ref for one in claims[ref.campaign_id].messages] if ref.campaign_id in claims else []


async def accept(at: Desk, ref: MessageRef, state: MessageState = MessageState.ACCEPTED) -> None:
    await write(at.store, [Settlement(ref=ref, state=state, whatsapp_message_id=f"wamid.{ref.attempt}")])


async def state_of(at: Desk, ref: MessageRef) -> str:
    return str((await at.message(ref))["state"])


@pytest.mark.parametrize("in_one_breath", [True, False])
async def test_whose_person_has_opted_out_meanwhile_is_skipped_in_whatever_order_it_is_told(
    at: Desk, *, in_one_breath: bool
) -> None:
    (ref,) = await at.sent("SKIPPED")
    await at.value("UPDATE messages SET reason = 'OPTED_OUT'")
    await at.value("UPDATE contacts SET marketing_consent = 'OPTED_OUT'")
    sent, failed = (status(word, NOW, wamid="wamid.1", ref=ref, code=code) for word, code in TOLD)
    bodies = [body(statuses=[sent, failed])] if in_one_breath else [body(statuses=[sent]), body(statuses=[failed])]
    for each in bodies:
        await at.deliver(each)
    assert await claimed(at, ref) == []
    assert await state_of(at, ref) == "SKIPPED"


@pytest.mark.parametrize(
    ("code", "seconds", "tries"),
    [
        (131000, [300], 2),
        (131053, [60, 600], 3),
        (131016, [30, 60, 120, 240, 300], 6),
        (133004, [5, 10, 20, 40, 80], 6),
        (130429, [5, 10, 20, 40, 80], 6),
        (131056, [16, 64, 256, 256, 256], 6),
    ],
)
async def test_it_is_sent_again_when_the_table_says_and_as_often(
    at: Desk, code: int, seconds: list[float], tries: int
) -> None:
    (ref,) = await at.sent()
    waits = []
    for attempt in range(1, tries + 1):
        await tell(at, "sent", ref)
        await tell(at, "failed", ref, code=code)
        if attempt < tries:
            assert await state_of(at, ref) == "PENDING"
            waits.append(await at.value(WAITS, NOW))
            ref = await claim(at, ref)
            await accept(at, ref)
    row = await at.message(ref)
    assert waits == seconds
    assert (row["state"], row["reason"], row["error_code"], row["attempt"]) == ("FAILED", "UNDELIVERED", code, tries)
    assert await at.value("SELECT count(*) FROM message_attempts WHERE fail_time IS NOT NULL") == tries - 1
    assert await at.value(DOUBLES) == 0


async def test_a_waiting_message_keeps_nothing_of_the_try_that_failed(at: Desk) -> None:
    (ref,) = await at.sent()
    await tell(at, "sent", ref)
    await tell(at, "failed", ref, code=PASSING)
    row = await at.message(ref)
    empty = ("whatsapp_message_id", "accept_time", "send_time", "fail_time")
    assert [row[key] for key in ("state", "reason", "error_code", "error_title")] == ["PENDING", "", 0, ""]
    assert [row[key] for key in empty] == [None] * 4
    kept = await at.plan.connection.fetchrow("SELECT attempt, whatsapp_message_id, fail_time FROM message_attempts")
    assert tuple(kept or ()) == (1, f"wamid.{ref.message_id}", NOW) or tuple(kept or ()) == (1, "wamid.1", NOW)


@pytest.mark.parametrize("state", ["SENDING", "UNCONFIRMED", "ACCEPTED", "HELD", "SENT", "PENDING"])
async def test_it_waits_from_wherever_it_stood_and_a_repeated_receipt_is_no_news(at: Desk, state: str) -> None:
    (ref,) = await at.sent(state)
    for word in ("failed", "failed", "sent"):
        await tell(at, word, ref, code=PASSING if word == "failed" else 0)
        assert await state_of(at, ref) == "PENDING"
    assert await at.value("SELECT retry_count FROM messages") == 1
    again = await claim(at, ref)
    await tell(at, "failed", ref, code=PASSING)
    assert await state_of(at, again) == "SENDING"


async def test_the_answer_of_a_send_that_comes_after_its_failure_does_not_hold_the_message(at: Desk) -> None:
    (ref,) = await at.sent("SENDING")
    await tell(at, "failed", ref, code=PASSING)
    await accept(at, ref)
    assert await state_of(at, ref) == "PENDING"
    again = await claim(at, ref)
    await accept(at, ref)
    assert await state_of(at, ref) == "SENDING"
    await accept(at, again)
    await accept(at, ref)
    assert (await state_of(at, ref), await at.value(DOUBLES)) == ("ACCEPTED", 0)


@pytest.mark.parametrize("word", ["delivered", "read"])
async def test_a_try_that_failed_and_was_seen_all_the_same_keeps_the_next_from_leaving(at: Desk, word: str) -> None:
    (ref,) = await at.sent()
    await tell(at, "failed", ref, code=PASSING)
    await tell(at, word, ref)
    assert await state_of(at, ref) == word.upper()


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
async def test_a_try_that_was_seen_after_the_next_had_left_is_a_proven_double(at: Desk, order: tuple[str, ...]) -> None:
    (ref,) = await at.sent()
    await tell(at, "failed", ref, code=PASSING)
    again = await claim(at, ref)
    for which in order:
        await (tell(at, "delivered", ref) if which == "old" else tell(at, "sent", again))
    assert (await state_of(at, ref), await at.value(DOUBLES)) == ("DELIVERED", 1)


async def test_nobody_is_sent_a_third_message_while_an_older_try_may_have_arrived(at: Desk) -> None:
    (ref,) = await at.sent("UNCONFIRMED")
    await at.value("UPDATE messages SET doubt_time = now() - interval '1 minute'")
    async with at.store.connection() as rooms:
        await rooms.doubts.resend_on_evidence(grace_seconds=0, lease_seconds=0, limit=9, evidence=False)
    again = await claim(at, ref)
    await accept(at, again)
    await tell(at, "failed", again, code=PASSING)
    assert await state_of(at, ref) == "FAILED"
    await tell(at, "delivered", ref)
    assert await state_of(at, ref) == "DELIVERED"


async def test_what_a_receipt_says_too_late_or_of_an_unwanted_message_fails_it(at: Desk) -> None:
    (ref,) = await at.sent()
    await tell(at, "failed", ref, code=PASSING, hours=-25)
    assert await state_of(at, ref) == "FAILED"
    (ref,) = await at.sent()
    await at.value("UPDATE campaigns SET state = 'CANCELLED'")
    await tell(at, "failed", ref, code=PASSING)
    assert await state_of(at, ref) == "FAILED"


async def test_a_completed_campaign_runs_again_until_the_message_is_through(at: Desk) -> None:
    (ref,) = await at.sent()
    assert await _finish(at) == "COMPLETED"
    await tell(at, "failed", ref, code=PASSING)
    assert await _finish(at) == "RUNNING"
    again = await claim(at, ref)
    assert await _finish(at) == "RUNNING"
    await accept(at, again)
    await tell(at, "delivered", again)
    assert await _finish(at) == "COMPLETED"


@pytest.mark.parametrize(("state", "reason"), [("ACCEPTED", ""), ("FAILED", "OUTCOME_UNKNOWN")])
@pytest.mark.parametrize(("days", "ends"), [(6, {"PENDING": "RUNNING"}), (8, {"FAILED": "COMPLETED"})])
async def test_no_message_waits_in_a_campaign_that_ended_too_long_ago_to_be_looked_at(
    at: Desk, state: str, reason: str, days: int, ends: dict[str, str]
) -> None:
    (ref,) = await at.sent(state, reason=reason)
    long_ago = NOW - timedelta(days=days)
    await at.value("UPDATE messages SET accept_time = $1 WHERE accept_time IS NOT NULL", long_ago)
    await at.value("UPDATE messages SET fail_time = $1 WHERE fail_time IS NOT NULL", long_ago)
    await at.value("UPDATE campaigns SET state = 'COMPLETED', complete_time = $1", long_ago)
    await tell(at, "failed", ref, code=PASSING)
    async with at.store.transaction() as rooms:
        await rooms.campaign_states.reopen_unfinished_campaigns(at=NOW, completed_since=NOW - REOPENED_FOR)
    assert {await state_of(at, ref): await at.value("SELECT state FROM campaigns")} == ends


async def test_counters_equal_the_rows_all_along(at: Desk) -> None:
    (ref,) = await at.sent()
    states = []
    for step in ("sent", "failed", "delivered"):
        await tell(at, step, ref, code=PASSING if step == "failed" else 0)
        states.append(await at.value(COUNTED, ref.campaign_id))
    assert states == [{"SENT": 1}, {"PENDING": 1}, {"DELIVERED": 1}]
    assert await at.value(MINUTES, ref.campaign_id) == {"ACCEPTED": 1, "DELIVERED": 1}


async def test_an_attempt_the_receipt_does_not_name_is_found_by_whatsapps_id(at: Desk) -> None:
    (ref,) = await at.sent()
    bare = status("failed", NOW, wamid=f"wamid.{ref.message_id}", ref=None, code=PASSING)
    await at.deliver(body(statuses=[bare]))
    assert await state_of(at, ref) == "PENDING"
    await at.deliver(body(statuses=[bare]))
    again = await claim(at, replace(ref, attempt=2))
    await at.deliver(body(statuses=[bare]))
    assert await state_of(at, again) == "SENDING"


async def _finish(at: Desk) -> str:
    """The keeper looks which campaigns are through."""
    async with at.store.transaction() as rooms:
        await rooms.campaign_states.complete_finished_campaigns(at=NOW)
        since = NOW - timedelta(days=1)
        await rooms.campaign_states.reopen_unfinished_campaigns(at=NOW, completed_since=since)
    return str(await at.value("SELECT state FROM campaigns"))
