"""A message that failed at WhatsApp and is tried again: old news of the first try must neither stop nor double it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from core.domain.errors import WrongState
from core.domain.messages import MessageRef, MessageState, Reason
from core.domain.outcomes import Settlement
from server.services.campaign_retries import retry_failed_messages
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status
from workers.settler import write

_DOUBLES = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        yield made


async def _retried(at: Desk) -> MessageRef:
    """Sends the message, lets WhatsApp fail it, and puts it back."""
    (ref,) = await at.sent()
    await _tell(at, "failed", ref)
    assert await _put_back(at, ref, codes=()) == 1
    return ref


async def _put_back(at: Desk, ref: MessageRef, *, codes: Sequence[int]) -> int:
    """Retries what failed, and returns how many messages that were."""
    try:
        async with at.store.transaction() as rooms:
            retried = await retry_failed_messages(rooms, ref.campaign_id, error_codes=codes, at=NOW)
    except WrongState:
        return 0
    return retried.message_count


async def _tell(at: Desk, word: str, ref: MessageRef, *, code: int = 131051) -> None:
    wamid = f"wamid.{ref.message_id}.{ref.attempt}"
    code = code if word == "failed" else 0
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


@pytest.mark.parametrize("base", ["PENDING", "SENDING", "UNCONFIRMED", "ACCEPTED", "HELD", "SENT"])
async def test_what_is_on_its_way_again_has_not_failed_for_what_is_told_of_an_earlier_try(at: Desk, base: str) -> None:
    (ref,) = await at.sent(base, attempt=2)
    before = await at.message(ref)
    for _ in range(2):
        await _tell(at, "failed", replace(ref, attempt=1))
    assert await at.message(ref) == before
    assert await at.value("SELECT undelivered_time FROM message_attempts") == NOW


@pytest.mark.parametrize("news", [*permutations([(1, "sent"), (1, "failed"), (2, "sent"), (2, "failed")])])
async def test_a_message_has_failed_once_its_newest_try_has_in_any_order(
    at: Desk, news: Sequence[tuple[int, str]]
) -> None:
    (ref,) = await at.sent("SENDING", attempt=2)
    told = []
    for attempt, word in news:
        told.append((attempt, word))
        await _tell(at, word, replace(ref, attempt=attempt), code=(131026, 131051)[attempt - 1])
        assert ((await at.message(ref))["state"] == "FAILED") == ((2, "failed") in told)
    assert (await at.message(ref))["error_code"] == 131051


async def test_what_failed_is_not_put_back_while_an_earlier_try_may_be_on_its_way(at: Desk) -> None:
    """It could leave a third time, while the first one arrives; a day later it has arrived or never will."""
    (ref,) = await at.sent("SENDING", attempt=2)
    await _tell(at, "sent", replace(ref, attempt=1))
    await _tell(at, "failed", ref)
    await _end_leases(at, hours=-23)
    assert await _put_back(at, ref, codes=(131051,)) == 0
    assert await _put_back(at, ref, codes=()) == 0
    await _end_leases(at, hours=-25)
    assert await _put_back(at, ref, codes=()) == 1


@pytest.mark.parametrize("word", ["sent", "failed"])
async def test_nor_is_what_was_refused_while_an_earlier_try_may_be_on_its_way(at: Desk, word: str) -> None:
    """WhatsApp took the first one, and said so only when it had refused the second."""
    (ref,) = await at.sent("SENDING", attempt=2)
    await _end_leases(at, hours=-1)
    refused = Settlement(ref=ref, state=MessageState.FAILED, reason=Reason.REJECTED, error_code=131051)
    assert await write(at.store, [refused]) == 0
    assert (await at.message(ref))["state"] == "FAILED"
    await _tell(at, word, replace(ref, attempt=1))
    assert await _put_back(at, ref, codes=()) == (word == "failed")


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_what_failed_is_put_back_at_once_when_all_its_tries_have(at: Desk, order: Sequence[int]) -> None:
    (ref,) = await at.sent("SENDING", attempt=2)
    await _end_leases(at, hours=-1)
    for attempt in order:
        await _tell(at, "failed", replace(ref, attempt=attempt))
    assert await _put_back(at, ref, codes=()) == 1


async def _end_leases(at: Desk, *, hours: float) -> None:
    await at.value("UPDATE messages SET lease_expire_time = $1", NOW + timedelta(hours=hours))


async def test_a_first_try_that_arrived_after_all_keeps_the_second_from_leaving(at: Desk) -> None:
    ref = await _retried(at)
    await _tell(at, "delivered", ref)
    assert (await at.message(ref))["state"] == "DELIVERED"
