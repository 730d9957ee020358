"""What a double is: WhatsApp accepted two attempts of one message, whatever became of them, told in whatever order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import permutations, product
from uuid import UUID

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.repositories.rooms import Store
from server.services.erasure import erase_person
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.statements import CountingDatabase
from tests.helpers.webhook_bodies import body, status
from workers.settler import write

# What is told of which attempt; "accepted" is the answer of the send, all else a receipt.
News = tuple[int, str]
STORIES: list[tuple[News, ...]] = [
    ((1, "delivered"), (2, "delivered")),
    ((1, "accepted"), (2, "accepted")),
    ((1, "accepted"), (1, "delivered"), (2, "accepted")),
    ((1, "sent"), (2, "accepted"), (2, "read")),
    ((1, "delivered"), (2, "delivered"), (3, "delivered")),
    ((1, "accepted"), (2, "sent"), (3, "accepted")),
    ((1, "delivered"), (1, "read")),
    ((1, "delivered"), (2, "failed")),
    ((1, "delivered"), (2, "accepted"), (2, "failed")),
    ((1, "failed"), (2, "delivered")),
    ((1, "failed"), (2, "failed")),
    ((1, "delivered"), (2, "delivered"), (3, "failed")),
    ((1, "delivered"), (2, "failed"), (3, "failed")),
    ((1, "failed"), (1, "delivered"), (2, "sent")),
]
# Of a third attempt, the newest, nothing is known.
SUPERSEDED = [story for story in STORIES if {attempt for attempt, _ in story} == {1, 2}]
PROVEN = "SELECT count(*) FROM message_attempts WHERE accept_time IS NOT NULL AND message_id = $1"
CONTACT = "SELECT contact_id FROM messages WHERE id = $1"
FIRST_ATTEMPT = "SELECT attempt FROM message_attempts WHERE message_id = $1 AND attempt = 1 FOR UPDATE"
# An older attempt was in doubt, and the message was sent again.
DOUBTED = """
    INSERT INTO message_attempts (campaign_id, message_id, attempt)
    SELECT campaign_id, id, older FROM messages, generate_series(1, attempt - 1) AS older"""


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(12)) as made:
        yield made


@pytest.mark.parametrize("code", [131026, 131016], ids=["for good", "passing"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: "-".join(f"{attempt}{word}" for attempt, word in story))
async def test_a_message_that_was_accepted_twice_is_a_double_in_any_order(
    at: Desk, story: tuple[News, ...], code: int
) -> None:
    refs = await at.sent("SENDING", attempt=max(2, *(attempt for attempt, _ in story)))
    await at.value(DOUBTED)
    for ref, (order, times) in zip(refs, product(permutations(story), (1, 2)), strict=False):
        for attempt, word in order * times:
            await _tell(at, _attempt(ref, attempt), word, code)
        assert await at.value(PROVEN, ref.message_id) == _too_many(story), order


@pytest.mark.parametrize("story", SUPERSEDED, ids=lambda story: "-".join(f"{attempt}{word}" for attempt, word in story))
async def test_two_superseded_attempts_are_a_double_before_anything_is_known_of_the_newest(
    at: Desk, story: tuple[News, ...]
) -> None:
    refs = await at.sent("SENDING", attempt=3)
    await at.value(DOUBTED)
    for ref, order in zip(refs, permutations(story), strict=False):
        for attempt, word in order:
            await _tell(at, _attempt(ref, attempt), word, 131026)
        assert await at.value(PROVEN, ref.message_id) == 1, order


async def test_what_is_said_of_more_than_one_attempt_is_looked_for_by_keys(at: Desk, fresh_database_url: str) -> None:
    first, second, *_ = await at.sent("SENDING", attempt=2)
    await at.value(DOUBTED)
    async with CountingDatabase(url=fresh_database_url) as database:
        store = Store(database)
        await write(store, [_answer(_attempt(first, 2))])
        await write(store, [_answer(_attempt(second, 1))])
        late = ["record_late_accepts", "settle_by_late_accepts", "prove_superseded_doubles"]
        newest = ["enter_by_keys", "settle_messages", "prove_doubles"]
        assert database.statements == [*newest, "settle_messages", "enter_by_keys", "lock_messages", *late]


@pytest.mark.parametrize("newest", [2, 3], ids=["the newest", "both superseded"])
async def test_two_attempts_whose_answers_are_written_together_are_a_double(at: Desk, newest: int) -> None:
    ref, *_ = await at.sent("SENDING", attempt=newest)
    await at.value(DOUBTED)
    assert await write(at.store, [_answer(_attempt(ref, attempt)) for attempt in (1, 2)]) == 1
    assert await at.value(PROVEN, ref.message_id) == 1


async def test_news_that_name_only_whatsapps_id_are_of_the_attempt_that_has_it_not_of_the_newest(at: Desk) -> None:
    ref, *_ = await at.sent("SENDING", attempt=2)
    await at.value(DOUBTED)
    await _tell(at, _attempt(ref, 1), "delivered", 0)
    await at.deliver(body(statuses=[status("read", NOW, wamid=_wamid(_attempt(ref, 1)))]))
    assert await at.value(PROVEN, ref.message_id) == 0
    assert await at.value("SELECT state FROM messages WHERE id = $1", ref.message_id) == "READ"


@pytest.mark.parametrize(("newest", "second"), [(2, 2), (3, 2)], ids=["the newest", "another superseded one"])
async def test_two_answers_that_are_written_at_the_same_moment_are_a_double(at: Desk, newest: int, second: int) -> None:
    """The first one has looked at everything and waits for its row when the second one comes."""
    ref, *_ = await at.sent("SENDING", attempt=newest)
    await at.value(DOUBTED)
    async with at.database.transaction() as holder:
        await holder.fetchval(FIRST_ATTEMPT, ref.message_id)
        first = asyncio.create_task(write(at.store, [_answer(_attempt(ref, 1))]))
        await eventually(lambda: at.has_waiters(1))
        other = asyncio.create_task(write(at.store, [_answer(_attempt(ref, second))]))
        await eventually(lambda: other.done() or at.has_waiters(2))
    await asyncio.gather(first, other)
    assert await at.value(PROVEN, ref.message_id) == 1


async def _tell(at: Desk, ref: MessageRef, word: str, code: int) -> None:
    if word == "accepted":
        await write(at.store, [_answer(ref)])
    else:
        code = code if word == "failed" else 0
        await at.deliver(body(statuses=[status(word, NOW, wamid=_wamid(ref), ref=ref, code=code)]))


def _answer(ref: MessageRef) -> Settlement:
    return Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=_wamid(ref))


def _wamid(ref: MessageRef) -> str:
    return f"wamid.{ref.message_id}.{ref.attempt}"


def _attempt(ref: MessageRef, attempt: int) -> MessageRef:
    return MessageRef(campaign_id=ref.campaign_id, message_id=ref.message_id, attempt=attempt)


def _too_many(story: Sequence[News]) -> int:
    """Counts the attempts that WhatsApp took beside one, whatever became of them."""
    return len({attempt for attempt, _ in story}) - 1


async def test_what_would_be_proven_only_after_its_person_was_erased_is_not(at: Desk) -> None:
    ref, *_ = await at.sent("SENDING", attempt=2)
    await at.value(DOUBTED)
    await _tell(at, ref, "sent", 0)
    await _erase(at, await at.value(CONTACT, ref.message_id))
    await _tell(at, _attempt(ref, 1), "sent", 0)
    assert await at.value(PROVEN, ref.message_id) == 0


async def test_an_answer_that_is_written_while_its_person_is_erased_leaves_no_id_behind(at: Desk) -> None:
    ref, *_ = await at.sent("SENDING", attempt=2)
    await at.value(DOUBTED)
    await _tell(at, ref, "sent", 0)
    contact_id = await at.value(CONTACT, ref.message_id)
    async with at.database.transaction() as holder:
        await holder.fetchval(FIRST_ATTEMPT, ref.message_id)
        answer = asyncio.create_task(write(at.store, [_answer(_attempt(ref, 1))]))
        await eventually(lambda: at.has_waiters(1))
        erasure = asyncio.create_task(_erase(at, contact_id))
        await eventually(lambda: erasure.done() or at.has_waiters(2))
    await asyncio.gather(answer, erasure)
    assert await at.value("SELECT count(whatsapp_message_id) FROM message_attempts") == 0


async def _erase(at: Desk, contact_id: UUID) -> None:
    async with at.store.transaction() as rooms:
        await erase_person(rooms, contact_id, hash_key=b"key of the test", at=NOW, lease_seconds=60)
