"""Bodies that cannot be applied: tried again after growing pauses while the others go on, at last set aside."""

from collections.abc import AsyncIterator

import pytest

from core.domain.messages import MessageRef
from tests.helpers.doubts import doubt_one, hear_the_door, judge, state_of
from tests.helpers.receiving import KEY, NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, reply, status
from tests.helpers.workers import idle_worker
from workers.tasks.receipts import apply_deliveries
from workers.tasks.urgent import UrgentLane

PAUSE = "SELECT extract(epoch FROM retry_time - now())::double precision FROM webhook_deliveries WHERE attempt > 0"
OVERDUE = "UPDATE webhook_deliveries SET retry_time = now() WHERE retry_time IS NOT NULL"
ADD_CALLER = "INSERT INTO contacts (phone_number) VALUES ('+491700000009')"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    """Two messages on their way."""
    async with desk(fresh_database_url, ["+491700000001", "+491700000002"]) as opened:
        yield opened


def read(ref: MessageRef) -> bytes:
    """Returns a body that tells that a message was read."""
    return body(statuses=[status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)])


async def refuse(at: Desk, ref: MessageRef) -> None:
    """Plays the bug nobody thought of, or a release that is half there: one message takes nothing."""
    await at.plan.connection.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.id = '{ref.message_id}' THEN RAISE 'poison'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION refuse()"""
    )


async def test_a_body_that_spoils_its_batch_blocks_no_other_and_is_left_alone_for_a_while(at: Desk) -> None:
    good, bad = await at.sent()
    await refuse(at, bad)
    applied = await at.deliver(read(bad), read(good))
    assert (applied.delivery_count, applied.more) == (2, False)
    assert (await at.message(good))["state"] == "READ"
    assert (await at.apply()).delivery_count == 0
    assert await at.value("SELECT attempt FROM webhook_deliveries WHERE apply_time IS NULL") == 1


async def test_the_pauses_grow_and_there_is_time_for_a_release_to_be_rolled_out(at: Desk) -> None:
    bad, _ = await at.sent()
    await refuse(at, bad)
    await at.deliver(read(bad))
    pauses = [await at.value(PAUSE)]
    while await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL"):
        again = await at.retry_failed()
        assert (again.delivery_count, again.more) == (1, False)
        pauses.append(await at.value(PAUSE))
    assert [round(pause) for pause in pauses[:4]] == [1, 2, 4, 8]
    assert max(pauses) <= 300
    assert 10 * 60 <= sum(pauses[:-1]) <= 60 * 60
    assert await at.value("SELECT error FROM webhook_deliveries") == "RaiseError"


async def test_what_failed_is_applied_once_it_is_due_and_nothing_is_in_the_way(
    at: Desk, worker_settings: dict[str, str]
) -> None:
    ref, _ = await at.sent()
    await refuse(at, ref)
    await at.deliver(read(ref))
    await at.value("DROP TRIGGER refuse ON messages")
    async with at.store.connection() as rooms:
        assert await rooms.deliveries.find_head() is None
        await at.value(OVERDUE)
        assert await rooms.deliveries.find_head() is not None
    async with idle_worker(worker_settings) as worker:
        await apply_deliveries(worker.engine)
    assert (await at.message(ref))["state"] == "READ"
    assert await at.value("SELECT error FROM webhook_deliveries") == ""


async def test_who_says_stop_in_a_body_that_failed_is_heard_once_it_is_due(at: Desk) -> None:
    await at.value(ADD_CALLER)
    await at.plan.connection.execute("ALTER TABLE interactions ADD CONSTRAINT refuse CHECK (text <> 'STOP')")
    async with at.store.connection() as rooms:
        told = body(messages=[reply("STOP", NOW, wamid="wamid.s", phone="+491700000009")])
        await rooms.deliveries.append_deliveries([told], urgent=[True])
    lane = UrgentLane(at.store, now=NOW, hash_key=KEY)
    for _ in range(20):
        await lane.take_turn()
    assert await at.value("SELECT attempt FROM webhook_deliveries WHERE apply_time IS NULL") == 1
    async with at.store.connection() as rooms:
        assert await rooms.deliveries.find_urgent_head() is None
    await at.plan.connection.execute("ALTER TABLE interactions DROP CONSTRAINT refuse")
    await at.value(OVERDUE)
    await lane.take_turn()
    assert await at.value("SELECT marketing_consent FROM contacts WHERE phone_number = '+491700000009'") == "OPTED_OUT"


@pytest.mark.parametrize(
    ("comes", "can_be_read", "expected"), [(-1, True, "PENDING"), (1, True, "UNCONFIRMED"), (1, False, "PENDING")]
)
async def test_silence_proves_nothing_of_what_was_claimed_before_a_body_came_that_is_set_aside(
    fresh_database_url: str, worker_settings: dict[str, str], comes: int, can_be_read: bool, expected: str
) -> None:
    given = worker_settings | {"CHAPPE_LEASE_SECONDS": "2", "CHAPPE_UNCONFIRMED_GRACE_SECONDS": "3"}
    async with desk(fresh_database_url, numbers(40)) as at:
        doubted = await doubt_one(at.plan)
        await hear_the_door(at.plan)
        await at.value(
            """INSERT INTO webhook_deliveries (body, receive_time, attempt, apply_time, retry_time, error)
            SELECT '', lease_expire_time + make_interval(secs => $1), 14, now(), CASE WHEN $3 THEN now() END, 'Error'
            FROM messages WHERE id = $2""",
            comes - 2.0,
            doubted,
            can_be_read,
        )
        await judge(given)
        assert await state_of(at.plan, doubted) == expected
