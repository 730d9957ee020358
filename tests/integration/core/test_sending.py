"""Claiming and settling against real tables: each attempt is settled once, by its maker, and nothing moves back."""

from typing import cast
from uuid import UUID

import asyncpg
import orjson
import pytest

from core.db import Connection
from core.domain.messages import MessageRef, MessageState, Reason
from core.domain.outcomes import Settlement
from core.repositories.receipts import Receipts
from core.repositories.sending import BOTTOM, Claim, Sending
from tests.helpers.campaign_rows import add_campaign, add_contacts, add_sender, add_template

WAMID = "wamid.A"


@pytest.fixture
async def rows(connection: "asyncpg.Connection[asyncpg.Record]") -> Connection:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )
    return cast("Connection", connection)


async def plan(connection: Connection, count: int = 1, *, category: str = "MARKETING") -> UUID:
    sender_id = await add_sender(connection)
    template_id = await add_template(connection, category=category)
    campaign_id = await add_campaign(connection, sender_id=sender_id, template_id=template_id)
    await add_contacts(connection, count)
    await connection.execute(
        """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters, not_before_time)
        SELECT $1, id, $2, 1, '["Ann", "Rome"]', now() - interval '1 minute' FROM contacts ORDER BY id""",
        campaign_id,
        sender_id,
    )
    return campaign_id


async def claim(connection: Connection, campaign_id: UUID, limit: int = 10) -> Claim:
    claims = await Sending(connection).claim_messages({campaign_id: BOTTOM}, limit=limit, lease_seconds=60)
    return claims[campaign_id]


async def states(connection: Connection) -> list[tuple[str, str]]:
    found = await connection.fetch("SELECT state, reason FROM messages ORDER BY id")
    return [(row["state"], row["reason"]) for row in found]


async def one(connection: Connection) -> asyncpg.Record:
    row = await connection.fetchrow(
        "SELECT state, reason, attempt, retry_count, whatsapp_message_id, accept_time, "
        "doubt_time, not_before_time - now() AS wait FROM messages"
    )
    assert row is not None
    return row


async def settle(connection: Connection, ref: MessageRef, state: MessageState, **more: object) -> bool:
    settlement = Settlement(ref=ref, state=state, **more)  # type: ignore[arg-type]
    return ref in await Sending(connection).settle_messages([settlement])


async def test_a_claim_takes_no_more_than_asked_and_hands_out_what_is_needed_to_send(rows: Connection) -> None:
    campaign_id = await plan(rows, 5)
    taken = await claim(rows, campaign_id, limit=3)
    assert [message.ref.attempt for message in taken.messages] == [1, 1, 1]
    assert all(message.phone_number and message.parameters == ("Ann", "Rome") for message in taken.messages)
    assert sorted(state for state, _ in await states(rows)) == ["PENDING", "PENDING", "SENDING", "SENDING", "SENDING"]


@pytest.mark.parametrize("state", ["PAUSED", "CANCELLED", "COMPLETED"])
async def test_nothing_is_claimed_from_a_campaign_that_does_not_run(rows: Connection, state: str) -> None:
    campaign_id = await plan(rows)
    await rows.execute("UPDATE campaigns SET state = $1", state)
    assert (await claim(rows, campaign_id)).count == 0


async def test_a_paused_sender_sends_nothing(rows: Connection) -> None:
    campaign_id = await plan(rows)
    await rows.execute("UPDATE senders SET state = 'PAUSED'")
    assert (await claim(rows, campaign_id)).count == 0


async def test_who_opted_out_after_the_planning_is_skipped_by_marketing(rows: Connection) -> None:
    campaign_id = await plan(rows, 2)
    await rows.execute(
        "UPDATE contacts SET marketing_consent = 'OPTED_OUT' WHERE id = (SELECT min(id::text)::uuid FROM contacts)"
    )
    taken = await claim(rows, campaign_id)
    assert (len(taken.messages), taken.skipped_count) == (1, 1)
    assert ("SKIPPED", "OPTED_OUT") in await states(rows)


async def test_who_opted_out_of_marketing_still_gets_what_is_not_marketing(rows: Connection) -> None:
    campaign_id = await plan(rows, category="UTILITY")
    await rows.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT'")
    assert len((await claim(rows, campaign_id)).messages) == 1


async def test_a_message_whose_contact_was_erased_is_skipped(rows: Connection) -> None:
    campaign_id = await plan(rows)
    await rows.execute("UPDATE messages SET contact_id = NULL")
    await claim(rows, campaign_id)
    assert await states(rows) == [("SKIPPED", "ERASED")]


async def test_an_accepted_message_keeps_its_whatsapp_id_and_time(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    assert await settle(rows, ref, MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    row = await one(rows)
    assert (row["state"], row["whatsapp_message_id"]) == ("ACCEPTED", WAMID)
    assert row["accept_time"] is not None


async def test_a_receipt_that_came_first_is_not_undone_by_the_answer(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE messages SET state = 'DELIVERED', deliver_time = now()")
    await settle(rows, ref, MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    row = await one(rows)
    assert (row["state"], row["whatsapp_message_id"]) == ("DELIVERED", WAMID)


async def test_an_answer_that_tells_nothing_new_counts_as_settled_and_writes_nothing(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE messages SET state = 'SENT', whatsapp_message_id = $1, accept_time = now()", WAMID)
    before = await rows.fetchval("SELECT ctid::text FROM messages")
    assert await settle(rows, ref, MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    assert await rows.fetchval("SELECT ctid::text FROM messages") == before


async def test_a_lost_answer_puts_the_message_in_doubt_with_the_time_it_began(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await settle(rows, ref, MessageState.UNCONFIRMED)
    row = await one(rows)
    assert row["state"] == "UNCONFIRMED"
    assert row["doubt_time"] is not None


async def test_an_answer_that_comes_after_the_lease_has_ended_settles_the_doubt(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE messages SET lease_expire_time = now() - interval '1 second'")
    assert await Sending(rows).expire_leases(10) == 1
    await settle(rows, ref, MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    assert await states(rows) == [("ACCEPTED", "")]


async def test_a_late_answer_lifts_a_failure_that_was_only_presumed(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE messages SET state = 'FAILED', reason = 'OUTCOME_UNKNOWN', fail_time = now()")
    await settle(rows, ref, MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    assert await states(rows) == [("ACCEPTED", "")]


async def test_a_worker_that_lost_its_message_to_a_newer_attempt_writes_nothing(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE messages SET attempt = 2")
    assert not await settle(rows, ref, MessageState.FAILED, reason=Reason.REJECTED)
    assert await states(rows) == [("SENDING", "")]


@pytest.mark.parametrize(
    ("newer", "doubles"), [("wamid.B", 1), (None, 0), (WAMID, 0)], ids=["taken", "not yet", "same"]
)
async def test_a_superseded_attempt_is_a_double_when_another_one_was_accepted_too(
    rows: Connection, newer: str | None, doubles: int
) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute(
        "INSERT INTO message_attempts (campaign_id, message_id, attempt) SELECT campaign_id, id, 1 FROM messages"
    )
    await rows.execute("UPDATE messages SET attempt = 2, whatsapp_message_id = $1", newer)
    late = Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=WAMID)
    await Sending(rows).record_late_accepts([late])
    assert await Receipts(rows).prove_superseded_doubles([late.ref]) == doubles
    row = await rows.fetchrow("SELECT whatsapp_message_id, accept_time IS NOT NULL AS proven FROM message_attempts")
    assert row is not None
    assert (row["whatsapp_message_id"], row["proven"]) == (WAMID, bool(doubles))


async def test_a_retry_waits_its_delay_and_burns_a_try(rows: Connection) -> None:
    campaign_id = await plan(rows)
    ref = (await claim(rows, campaign_id)).messages[0].ref
    await settle(rows, ref, MessageState.PENDING, delay=30.0, counts=True)
    row = await one(rows)
    assert (row["state"], row["retry_count"]) == ("PENDING", 1)
    assert 29 < row["wait"].total_seconds() <= 30
    assert (await claim(rows, campaign_id)).count == 0


async def test_throttling_burns_no_try(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await settle(rows, ref, MessageState.PENDING, delay=1.0, counts=False)
    assert (await one(rows))["retry_count"] == 0


async def test_a_retry_of_a_cancelled_campaign_is_cancelled(rows: Connection) -> None:
    ref = (await claim(rows, await plan(rows))).messages[0].ref
    await rows.execute("UPDATE campaigns SET state = 'CANCELLED'")
    await settle(rows, ref, MessageState.PENDING)
    assert await states(rows) == [("CANCELLED", "CAMPAIGN_CANCELLED")]


async def test_a_claim_starts_behind_its_floor(rows: Connection) -> None:
    campaign_id = await plan(rows, 4)
    first = await claim(rows, campaign_id, limit=2)
    assert first.floor is not None
    await rows.execute("UPDATE messages SET state = 'PENDING'")
    claims = await Sending(rows).claim_messages({campaign_id: first.floor}, limit=4, lease_seconds=60)
    second = claims[campaign_id]
    assert not {message.ref.message_id for message in first.messages} & {m.ref.message_id for m in second.messages}
    assert second.count == 2


async def test_campaigns_are_claimed_from_together_each_from_its_own_floor(rows: Connection) -> None:
    first = await plan(rows, 4)
    sender_id = await rows.fetchval("SELECT sender_id FROM campaigns")
    template_id = await rows.fetchval("SELECT template_id FROM campaigns")
    second, paused = [
        await add_campaign(rows, sender_id=sender_id, template_id=template_id, state=state)
        for state in ("RUNNING", "PAUSED")
    ]
    for campaign_id in (second, paused):
        await rows.execute(
            """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters, not_before_time)
            SELECT $1, contact_id, sender_id, 1, parameters, not_before_time FROM messages WHERE campaign_id = $2""",
            campaign_id,
            first,
        )
    floor = (await claim(rows, first, limit=2)).floor
    assert floor is not None
    claims = await Sending(rows).claim_messages(
        {first: floor, second: BOTTOM, paused: BOTTOM}, limit=3, lease_seconds=60
    )
    assert {campaign_id: len(one.messages) for campaign_id, one in claims.items()} == {first: 2, second: 3, paused: 0}
    assert claims[paused].floor is None
    for campaign_id, one in claims.items():
        assert {message.ref.campaign_id for message in one.messages} <= {campaign_id}
