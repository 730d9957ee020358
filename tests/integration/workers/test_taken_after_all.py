"""An attempt sent again turns out to have been taken: nothing is tried a third time, whenever that becomes known."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.repositories.doubts import Decided, Doubts
from tests.helpers.receiving import Desk, desk
from tests.helpers.sending import numbers
from workers.settler import write

WAMID = "wamid.first"
SENT_AGAIN = "INSERT INTO message_attempts (campaign_id, message_id, attempt) SELECT campaign_id, id, 1 FROM messages"
DOUBTED = "UPDATE messages SET state = 'UNCONFIRMED', doubt_time = now() - interval '1 day'"
PROVEN = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        yield made


@pytest.fixture
async def second(at: Desk) -> MessageRef:
    """Is the attempt under way; the first one's answer has not come."""
    (ref,) = await at.sent("SENDING", attempt=2)
    await at.value(SENT_AGAIN)
    return ref


@pytest.mark.parametrize("order", ["taken, refused", "refused, taken", "together"])
async def test_what_is_refused_for_now_is_the_first_attempts(at: Desk, second: MessageRef, order: str) -> None:
    taken, refused = _taken(second), _refused(second)
    batches = {"taken, refused": [[taken], [refused]], "refused, taken": [[refused], [taken]]}
    for batch in batches.get(order, [[taken, refused]]):
        await write(at.store, batch)
    await _is_accepted(at, second)


@pytest.mark.parametrize(
    "unless",
    [
        "UPDATE message_attempts SET fail_time = now()",
        "UPDATE message_attempts SET undelivered_time = now()",
        "UPDATE message_attempts SET supersede_time = now() - interval '25 hours'",
    ],
    ids=["it failed and was answered", "it failed", "it is long ago"],
)
async def test_it_is_tried_again_all_the_same(at: Desk, second: MessageRef, unless: str) -> None:
    await write(at.store, [_taken(second)])
    await at.value(unless)
    await write(at.store, [_refused(second)])
    assert (await at.message(second))["state"] == "PENDING"


async def test_a_final_refusal_of_the_second_stands(at: Desk, second: MessageRef) -> None:
    await write(at.store, [_taken(second)])
    await write(at.store, [replace(_refused(second), state=MessageState.FAILED, reason="REJECTED")])
    assert (await at.message(second))["state"] == "FAILED"


@pytest.mark.parametrize("policy", ["RESEND", "HOLD"])
@pytest.mark.parametrize("order", ["taken, decided", "decided, taken"])
async def test_a_doubt_at_its_deadline_is_none(at: Desk, second: MessageRef, policy: str, order: str) -> None:
    await at.value("UPDATE campaigns SET unconfirmed_policy = $1", policy)
    await at.value(DOUBTED)
    if order == "taken, decided":
        await write(at.store, [_taken(second)])
    decided = await _decide(at)
    if order == "taken, decided":
        assert decided == Decided(accepted_count=1)
    else:
        await write(at.store, [_taken(second)])
    await _is_accepted(at, second)


@pytest.mark.parametrize("campaign", ["RUNNING", "CANCELLED"])
async def test_on_evidence_nothing_is_sent_again_nor_cancelled(at: Desk, second: MessageRef, campaign: str) -> None:
    await write(at.store, [_taken(second)])
    await at.value("UPDATE campaigns SET state = $1", campaign)
    await at.value(DOUBTED)
    async with at.database.transaction() as connection:
        proven = await Doubts(connection).resend_on_evidence(
            grace_seconds=1, lease_seconds=60, limit=10, evidence=False
        )
    assert proven == Decided(accepted_count=1)
    await _is_accepted(at, second)


async def _decide(at: Desk) -> Decided:
    async with at.database.transaction() as connection:
        return await Doubts(connection).decide_doubts(deadline_seconds=60, limit=10)


async def _is_accepted(at: Desk, ref: MessageRef) -> None:
    row = await at.message(ref)
    assert (row["state"], row["reason"], row["error_code"], row["attempt"]) == ("ACCEPTED", "", 0, 2)
    assert row["whatsapp_message_id"] == WAMID
    assert row["accept_time"] is not None
    assert row["fail_time"] is None
    assert await at.value(PROVEN) == 0  # WhatsApp took one


def _taken(second: MessageRef) -> Settlement:
    return Settlement(ref=replace(second, attempt=1), state=MessageState.ACCEPTED, whatsapp_message_id=WAMID)


def _refused(second: MessageRef) -> Settlement:
    return Settlement(ref=second, state=MessageState.PENDING, error_code=131000, error_title="later", counts=True)
