"""A message that failed at WhatsApp and is tried again: old news of the first try must neither stop nor double it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.domain.messages import MessageRef
from server.services.campaign_retries import retry_failed_messages
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status

_DOUBLES = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        yield made


async def _retried(at: Desk) -> MessageRef:
    """Sends the message, lets WhatsApp fail it, and puts it back."""
    (ref,) = await at.sent()
    await _tell(at, "failed", ref)
    async with at.store.transaction() as rooms:
        retried = await retry_failed_messages(rooms, ref.campaign_id, error_codes=(), at=NOW)
    assert retried.message_count == 1
    return ref


async def _tell(at: Desk, word: str, ref: MessageRef) -> None:
    wamid = f"wamid.{ref.message_id}.{ref.attempt}"
    code = 131051 if word == "failed" else 0
    await at.deliver(body(statuses=[status(word, NOW, wamid=wamid, ref=ref, code=code)]))


@pytest.mark.parametrize("word", ["sent", "failed"])
async def test_repeated_receipts_of_the_first_try_do_not_stop_the_second(at: Desk, word: str) -> None:
    ref = await _retried(at)
    await _tell(at, word, ref)
    assert (await at.message(ref))["state"] == "PENDING"
    await at.plan.connection.execute(
        "UPDATE messages SET state = 'SENDING', attempt = 2, lease_expire_time = now() + interval '1 minute'"
    )
    await _tell(at, word, ref)
    assert (await at.message(ref))["state"] == "SENDING"


async def test_a_second_try_of_a_failed_one_is_no_double(at: Desk) -> None:
    ref = await _retried(at)
    await at.sent(attempt=2)
    for attempt, word in ((2, "sent"), (1, "sent"), (1, "failed"), (2, "delivered")):
        await _tell(at, word, replace(ref, attempt=attempt))
    assert (await at.message(ref))["state"] == "DELIVERED"
    assert await at.value(_DOUBLES) == 0


async def test_a_first_try_that_arrived_after_all_keeps_the_second_from_leaving(at: Desk) -> None:
    ref = await _retried(at)
    await _tell(at, "delivered", ref)
    assert (await at.message(ref))["state"] == "DELIVERED"
