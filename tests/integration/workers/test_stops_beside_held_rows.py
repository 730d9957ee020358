"""Who says stop is heard while others hold rows: of messages told of in the same body, and of other people."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from core.domain.messages import MessageRef
from core.whatsapp.bodies import may_say_stop
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, reply, status
from tests.helpers.workers import busy_worker, idle_worker
from workers.assembly import Worker
from workers.tasks.receipts import apply_deliveries
from workers.tasks.urgent import apply_urgent

PERSON, OTHER, *MORE = numbers(8)
NEW = "+491700099999"
# Who waits for what others hold in these tests waits for longer.
WITHIN = 5.0
OF = "SELECT messages.id FROM messages JOIN contacts ON contacts.id = contact_id WHERE phone_number = $1"
CONSENT = "SELECT marketing_consent FROM contacts WHERE phone_number = $1"
OPTED_OUT = "SELECT count(*) FROM contacts WHERE marketing_consent = 'OPTED_OUT'"
STATE = """SELECT messages.state || ' ' || reason FROM messages JOIN contacts ON contacts.id = contact_id
    WHERE phone_number = $1"""
HOLD_MESSAGE = "SELECT id FROM messages WHERE id = $1 FOR UPDATE"
HOLD_CONTACT = "SELECT id FROM contacts WHERE phone_number = $1 FOR UPDATE"
COUNTED = """SELECT counters.state, sum(count)::bigint AS count FROM counters JOIN campaigns ON campaigns.id = scope_id
    GROUP BY counters.state HAVING sum(count) <> 0"""
# Who applies receipts waits, all done but the end of the transaction, for lock 1.
WAIT_AT_THE_MARK = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE TRIGGER wait AFTER UPDATE ON webhook_deliveries
        FOR EACH ROW WHEN (NOT NEW.is_urgent) EXECUTE FUNCTION wait()"""


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [PERSON, OTHER, *MORE]) as made:
        yield made


@pytest.fixture
async def worker(at: Desk, worker_settings: dict[str, str]) -> AsyncIterator[Worker]:
    async with idle_worker(worker_settings) as made:
        yield made


async def sent_to(at: Desk, number: str) -> MessageRef:
    """Has one message of the campaign sent; the others wait."""
    message_id = await at.value(OF, number)
    (ref,) = [ref for ref in await at.sent() if ref.message_id == message_id]
    await at.value(
        """UPDATE messages SET state = 'PENDING', attempt = 0, accept_time = NULL, whatsapp_message_id = NULL
        WHERE id <> $1""",
        message_id,
    )
    return ref


def read_by(ref: MessageRef) -> dict[str, object]:
    return status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)


def stop_of(number: str, *, wamid: str = "wamid.stop") -> dict[str, object]:
    return reply("Stop!", NOW, wamid=wamid, phone=number)


async def put(at: Desk, *bodies: bytes) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(list(bodies), urgent=[may_say_stop(raw) for raw in bodies])


@asynccontextmanager
async def held(at: Desk, query: str, *arguments: object) -> AsyncIterator[None]:
    """Holds rows as a worker does that is frozen in the midst of its batch."""
    async with at.database.transaction() as holder:
        assert await holder.fetchval(query, *arguments)
        yield


async def take_a_turn(worker: Worker) -> None:
    async with asyncio.timeout(WITHIN):
        await apply_urgent(worker.engine)


async def heard(at: Desk, number: str) -> bool:
    return (await at.value(CONSENT, number), await at.value(STATE, number)) == ("OPTED_OUT", "SKIPPED OPTED_OUT")


async def test_a_stop_that_rides_with_receipts_of_held_messages_is_heard_at_once(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    stop = stop_of(PERSON) | {"context": {"id": f"wamid.{ref.message_id}"}}
    await put(at, body(messages=[stop], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await heard(at, PERSON)
        assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL AND NOT is_urgent") == 1
    await apply_deliveries(worker.engine)
    assert await at.value(STATE, OTHER) == "READ "
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0
    await assert_nothing_is_there_twice(at)


async def assert_nothing_is_there_twice(at: Desk) -> None:
    assert await at.value("SELECT count(*) FROM consent_events") == await at.value(OPTED_OUT)
    assert await at.value("SELECT count(*) FROM interactions") == 1
    counted = await at.plan.connection.fetch(COUNTED)
    assert {row["state"]: row["count"] for row in counted} == await at.plan.states()
    replies = "SELECT coalesce(sum(count), 0) FROM reply_counters JOIN campaigns ON campaigns.id = scope_id"
    assert await at.value(replies) == 1
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE cardinality(traces) > 0 AND error = ''") == 1


async def test_the_other_lane_takes_nothing_that_someone_may_say_stop_in(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    await put(at, body(statuses=[read_by(ref)]), body(messages=[stop_of(PERSON)], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        other = asyncio.create_task(apply_deliveries(worker.engine))
        await eventually(lambda: at.has_waiters(1))
        await take_a_turn(worker)
        assert await heard(at, PERSON)
    await other
    assert await at.value(STATE, OTHER) == "READ "


async def test_who_hides_their_number_is_heard_with_the_receipt_that_tells_who_they_are(
    at: Desk, worker: Worker
) -> None:
    ref = await sent_to(at, PERSON)
    await at.value("UPDATE messages SET whatsapp_message_id = NULL WHERE id = $1", ref.message_id)
    hidden = {key: part for key, part in stop_of(PERSON).items() if key != "from"}
    quoting = {**hidden, "context": {"id": f"wamid.{ref.message_id}"}}
    await put(at, body(messages=[quoting], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
    await apply_deliveries(worker.engine)
    assert await at.value(CONSENT, PERSON) == "OPTED_OUT"


async def test_who_hides_their_number_is_heard_at_once_where_their_id_is_known_or_what_they_answer(
    at: Desk, worker: Worker
) -> None:
    ref, quoted = await sent_to(at, OTHER), "wamid.of the person"
    await at.value("UPDATE contacts SET whatsapp_user_id = 'DE.More12345' WHERE phone_number = $1", MORE[0])
    await at.value("UPDATE messages SET whatsapp_message_id = $2 WHERE id = $1", await at.value(OF, PERSON), quoted)
    quoting = {**stop_of("", wamid="wamid.1"), "context": {"id": quoted}}
    told = {**stop_of("", wamid="wamid.2"), "from_user_id": "DE.More12345"}
    await put(at, body(messages=[quoting, told], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await heard(at, PERSON)
        assert await heard(at, MORE[0])


async def test_who_hides_their_number_and_is_not_known_yet_becomes_no_second_contact(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, PERSON)
    await at.value("UPDATE messages SET whatsapp_message_id = NULL WHERE id = $1", ref.message_id)
    hidden = {**stop_of(""), "from_user_id": "DE.Person12345", "context": {"id": f"wamid.{ref.message_id}"}}
    await put(at, body(messages=[hidden], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await at.value("SELECT count(*) FROM consent_events WHERE contact_id IS NULL") == 1
    await apply_deliveries(worker.engine)
    assert await at.value(CONSENT, PERSON) == "OPTED_OUT"
    assert await at.value("SELECT count(*) FROM contacts") == 8


async def test_who_changes_their_number_after_they_were_heard_is_not_made_anew(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    await put(at, body(messages=[reply("hello", NOW, wamid="wamid.h", phone=PERSON)], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
    await at.value("UPDATE contacts SET phone_number = $2 WHERE phone_number = $1", PERSON, NEW)
    await apply_deliveries(worker.engine)
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", PERSON) == 0
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0


async def test_a_stop_of_its_own_is_heard_beside_such_a_body(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    mixed = body(messages=[stop_of(MORE[0], wamid="wamid.0")], statuses=[read_by(ref)])
    await put(at, mixed, body(messages=[stop_of(PERSON)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await heard(at, PERSON)
        assert await heard(at, MORE[0])


async def test_a_refusal_told_by_a_receipt_keeps_nobody_from_being_heard(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    refusal = body(statuses=[status("failed", NOW, wamid=f"wamid.{ref.message_id}", ref=ref, code=131050)])
    await put(at, refusal, body(messages=[stop_of(PERSON)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await heard(at, PERSON)
    await apply_deliveries(worker.engine)
    assert await at.value(CONSENT, OTHER) == "OPTED_OUT"


async def test_a_refusal_told_by_a_receipt_is_heard_in_its_lane_while_nobody_is_in_the_way(
    at: Desk, worker: Worker
) -> None:
    ref = await sent_to(at, OTHER)
    await put(at, body(statuses=[status("failed", NOW, wamid=f"wamid.{ref.message_id}", ref=ref, code=131050)]))
    await take_a_turn(worker)
    assert await at.value(CONSENT, OTHER) == "OPTED_OUT"
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0


async def test_people_whose_own_rows_are_held_keep_no_others_from_being_heard(at: Desk, worker: Worker) -> None:
    people = [PERSON, *MORE]
    await put(at, *(body(messages=[stop_of(each, wamid=f"wamid.{each}")]) for each in people))
    async with held(at, HOLD_CONTACT, MORE[2]):
        await take_a_turn(worker)
        assert [await heard(at, each) for each in people] == [each != MORE[2] for each in people]
    await take_a_turn(worker)
    assert await heard(at, MORE[2])


async def test_people_whose_own_rows_are_held_keep_none_from_being_heard_who_ride_with_receipts(
    at: Desk, worker: Worker
) -> None:
    ref = await sent_to(at, OTHER)
    people = [PERSON, *MORE]
    stops = (stop_of(each, wamid=f"wamid.{each}") for each in people)
    await put(at, *(body(messages=[stop], statuses=[read_by(ref)]) for stop in stops))
    async with held(at, HOLD_MESSAGE, ref.message_id), held(at, HOLD_CONTACT, MORE[2]):
        await take_a_turn(worker)
        assert [await heard(at, each) for each in people] == [each != MORE[2] for each in people]
    await take_a_turn(worker)
    assert await heard(at, MORE[2])


async def test_a_stop_is_on_record_also_while_a_message_of_that_person_is_held(at: Desk, worker: Worker) -> None:
    await put(at, body(messages=[stop_of(PERSON)]))
    async with held(at, HOLD_MESSAGE, await at.value(OF, PERSON)):
        await take_a_turn(worker)
        assert await at.value(CONSENT, PERSON) == "OPTED_OUT"


async def test_who_is_said_to_be_on_whatsapp_can_say_stop_while_those_receipts_are_applied(
    at: Desk, worker: Worker
) -> None:
    ref = await sent_to(at, PERSON)
    await put(at, body(statuses=[status("delivered", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)]))
    await at.plan.connection.execute(WAIT_AT_THE_MARK)
    async with held(at, "SELECT pg_advisory_xact_lock(1) IS NOT NULL"):
        applying = asyncio.create_task(at.apply())
        await eventually(lambda: at.has_waiters(1))
        await put(at, body(messages=[stop_of(PERSON)]))
        await take_a_turn(worker)
        assert await at.value(CONSENT, PERSON) == "OPTED_OUT"
    await applying
    assert await at.value("SELECT whatsapp_state FROM contacts WHERE phone_number = $1", PERSON) == "VERIFIED"


async def test_a_change_of_number_that_rides_with_receipts_is_followed_once(at: Desk, worker: Worker) -> None:
    ref = await sent_to(at, OTHER)
    await at.value(
        "UPDATE contacts SET marketing_consent = 'OPTED_OUT', consent_time = $2 WHERE phone_number = $1", PERSON, NOW
    )
    contact_id: UUID = await at.value("SELECT id FROM contacts WHERE phone_number = $1", PERSON)
    await at.value("UPDATE contacts SET create_time = $1", NOW)
    told = {"type": "user_changed_number", "body": "changed", "wa_id": NEW[1:]}
    change = {**reply("", NOW, wamid="wamid.sys", phone=PERSON), "type": "system", "system": told}
    await put(at, body(messages=[change], statuses=[read_by(ref)]))
    async with held(at, HOLD_MESSAGE, ref.message_id):
        await take_a_turn(worker)
        assert await at.value("SELECT id FROM contacts WHERE phone_number = $1", NEW) == contact_id
    await apply_deliveries(worker.engine)
    assert await at.value("SELECT id FROM contacts WHERE phone_number = $1", NEW) == contact_id
    assert await at.value("SELECT count(*) FROM contacts WHERE phone_number = $1", PERSON) == 0
    assert await at.value("SELECT count(*) FROM consent_events") == 1
    assert await at.value("SELECT count(*) FROM interactions") == 1


async def test_a_body_that_cannot_be_applied_keeps_no_stops_beside_it_from_being_heard(
    at: Desk, worker: Worker
) -> None:
    await at.plan.connection.execute(
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON interactions
            FOR EACH ROW WHEN (NEW.text = 'bad') EXECUTE FUNCTION refuse()"""
    )
    bad = body(messages=[reply("bad", NOW, wamid="wamid.bad", phone=MORE[1])])
    await put(at, body(messages=[stop_of(MORE[0], wamid="wamid.0")]), bad, body(messages=[stop_of(PERSON)]))
    while not await at.value("SELECT count(*) FROM webhook_deliveries WHERE error <> '' AND apply_time IS NOT NULL"):
        await take_a_turn(worker)
        assert await heard(at, MORE[0])
        assert await heard(at, PERSON)
        await at.value("UPDATE webhook_deliveries SET retry_time = now() WHERE apply_time IS NULL")


async def test_what_was_left_for_its_rows_is_applied_by_a_worker_that_goes_on(
    at: Desk, worker_settings: dict[str, str]
) -> None:
    ref = await sent_to(at, OTHER)
    await at.value("UPDATE campaigns SET state = 'PAUSED'")
    await put(at, body(messages=[stop_of(PERSON)], statuses=[read_by(ref)]))
    async with busy_worker(worker_settings) as worker:
        async with held(at, HOLD_MESSAGE, ref.message_id):
            await worker.engine.wakeups.apply_urgent()
            await eventually(lambda: heard(at, PERSON))
        await eventually(lambda: at.value("SELECT state = 'READ' FROM messages WHERE id = $1", ref.message_id))
