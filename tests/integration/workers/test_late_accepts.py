"""An accept that is written after the next attempt was begun: its person has the message, and no third one leaves."""

from collections.abc import AsyncIterator

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import body, status
from workers.settler import write

# The first attempt was in doubt, and the message was sent again.
_DOUBTED = "INSERT INTO message_attempts (campaign_id, message_id, attempt) SELECT campaign_id, id, 1 FROM messages"
_DOUBLES = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"
_TAKEN = [MessageState.ACCEPTED, MessageState.HELD]


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    """One message."""
    async with desk(fresh_database_url, ["+491700000001"]) as opened:
        yield opened


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("second", [MessageState.PENDING, MessageState.UNCONFIRMED])
@pytest.mark.parametrize("taken", _TAKEN)
async def test_what_a_late_accept_shows_to_be_there_is_not_sent_a_third_time(
    at: Desk, taken: MessageState, second: MessageState, is_late: bool
) -> None:
    """Whether the next attempt is refused for a while or lost, and whether that is known before or after."""
    ref = await _begun_twice(at)
    answers = [_answer(ref, 1, taken), Settlement(ref=ref, state=second)]
    for answer in reversed(answers) if is_late else answers:
        await write(at.store, [answer])
    told = await at.message(ref)
    assert (told["state"], told["whatsapp_message_id"]) == (taken.value, _wamid(ref, 1))
    assert told["accept_time"] is not None
    assert await at.value(_DOUBLES) == 0


async def test_a_late_accept_beside_that_of_the_next_attempt_is_a_double(at: Desk) -> None:
    ref = await _begun_twice(at)
    await write(at.store, [_answer(ref, 1)])
    await write(at.store, [_answer(ref, 2)])
    told = await at.message(ref)
    assert (told["state"], told["whatsapp_message_id"]) == ("ACCEPTED", _wamid(ref, 2))
    assert await at.value(_DOUBLES) == 1


@pytest.mark.parametrize("state", ["SENT", "FAILED", "SKIPPED", "CANCELLED"])
async def test_a_late_accept_moves_nothing_that_would_not_be_sent_again(at: Desk, state: str) -> None:
    ref = await _begun_twice(at, state)
    await write(at.store, [_answer(ref, 1)])
    assert (await at.message(ref))["state"] == state


async def test_of_an_attempt_that_is_told_to_have_failed_a_late_accept_keeps_nobody_waiting(at: Desk) -> None:
    ref = await _begun_twice(at)
    failed = status("failed", NOW, wamid=_wamid(ref, 1), ref=_attempt(ref, 1), code=131026)
    await at.deliver(body(statuses=[failed]))
    await write(at.store, [_answer(ref, 1)])
    await write(at.store, [Settlement(ref=ref, state=MessageState.PENDING)])
    assert (await at.message(ref))["state"] == "PENDING"


async def _begun_twice(at: Desk, state: str = "SENDING") -> MessageRef:
    """Puts the message into a state as if the second attempt was begun after a doubt; returns that attempt."""
    (ref,) = await at.sent(state, attempt=2)
    await at.plan.connection.execute(_DOUBTED)
    return ref


def _answer(ref: MessageRef, attempt: int, state: MessageState = MessageState.ACCEPTED) -> Settlement:
    return Settlement(ref=_attempt(ref, attempt), state=state, whatsapp_message_id=_wamid(ref, attempt))


def _attempt(ref: MessageRef, attempt: int) -> MessageRef:
    return MessageRef(campaign_id=ref.campaign_id, message_id=ref.message_id, attempt=attempt)


def _wamid(ref: MessageRef, attempt: int) -> str:
    return f"wamid.{ref.message_id}.{attempt}"
