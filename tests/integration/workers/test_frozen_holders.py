"""A process frozen in the midst of a transaction: whoever pauses, cancels or stops a number does not wait for it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import orjson
import pytest

from core.db import Database
from core.domain.errors import Conflict, Unavailable
from core.repositories.rooms import Rooms, Store
from server.services.campaign_retries import retry_failed_messages
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, announce, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status
from tests.helpers.workers import idle_worker
from tests.integration.workers.test_announcements import number, template
from tests.property.stage import MISCOUNTED
from workers.engine import Engine
from workers.keeper import LOCK, Keeper
from workers.tasks.campaigns import cancel_messages, expand_campaign

# What is not on the wire has to stop within so long.
WITHIN = 1.0
VERBS = ("pause", "cancel")
PEOPLE = 20
STATE = "SELECT state FROM campaigns"
PLANNED = "SELECT count(*) FROM messages"
AUDIENCE = "SELECT audience_count || ' ' || (expand_complete_time IS NOT NULL) FROM campaigns"
# Who plans a page waits, with its messages made, for lock 1.
WAIT_IN_THE_PAGE = """
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE TRIGGER hold AFTER INSERT ON messages FOR EACH STATEMENT EXECUTE FUNCTION hold()"""
KEEPS_FOR_LONG = """
    SELECT bool_or(now() - xact_start > interval '4 s')
    FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND objid = $1::int AND granted"""
IDLE = "SHOW idle_in_transaction_session_timeout"
Work = Callable[[Rooms], Awaitable[object]]


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(PEOPLE)) as made:
        await made.value("UPDATE templates SET sync_time = $1", NOW.replace(year=NOW.year - 1))
        await made.value("UPDATE senders SET phone_number = '+1 555-000-1111'")
        yield made


async def start(at: Desk) -> None:
    """Makes it a campaign to everybody, of which nothing is planned."""
    await at.value("TRUNCATE messages, counters CASCADE")
    await at.value("UPDATE campaigns SET all_contacts = true, expand_complete_time = NULL")


@asynccontextmanager
async def frozen_in(url: str, work: Work) -> AsyncIterator[None]:
    """Does work in a transaction of another process, which stands still before it can commit."""
    async with Database(url=url, pool_size=1) as database:
        begun, thawed = asyncio.Event(), asyncio.Event()

        async def stand_still() -> None:
            async with Store(database).transaction() as rooms:
                await work(rooms)
                begun.set()
                await thawed.wait()

        standing = asyncio.create_task(stand_still())
        await asyncio.wait({standing, asyncio.create_task(begun.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert begun.is_set(), standing.exception()
        try:
            yield
        finally:
            thawed.set()
            await asyncio.gather(standing, return_exceptions=True)


@asynccontextmanager
async def held_in_a_page(at: Desk) -> AsyncIterator[None]:
    """Has pages wait with their messages made, and lets them go on in the end."""
    await at.plan.connection.execute(WAIT_IN_THE_PAGE)
    async with at.database.transaction() as holder:
        await holder.execute("SELECT pg_advisory_xact_lock(1)")
        yield


async def move(at: Desk, verb: str) -> None:
    """Pauses or cancels the campaign, which must not take long."""
    async with asyncio.timeout(WITHIN), at.store.transaction() as rooms:
        await getattr(rooms.campaign_states, f"{verb}_campaign")(at.plan.campaign_id, at=NOW)


async def plan_page(at: Desk, rooms: Rooms) -> None:
    await rooms.expansion.expand_page(at.plan.campaign_id, 10)


async def retry(at: Desk, rooms: Rooms) -> None:
    await retry_failed_messages(rooms, at.plan.campaign_id, error_codes=(), at=NOW)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_page_of_an_audience_that_does_not_end_holds_up_no_verb(
    at: Desk, worker_settings: dict[str, str], verb: str
) -> None:
    await start(at)
    async with idle_worker(worker_settings) as worker:
        async with held_in_a_page(at):
            planning = asyncio.create_task(expand_campaign(worker.engine, at.plan.campaign_id))
            await eventually(partial(at.has_waiters, 1), 20)
            await move(at, verb)
            await cancel_messages(worker.engine, at.plan.campaign_id)  # what sweeps comes before the page is over
        await planning
    # Of what was paused the audience stays as it was to be; of what was cancelled nothing is left to be swept.
    planned = 0 if verb == "cancel" else PEOPLE
    assert await at.value(PLANNED) == planned
    assert await at.value(AUDIENCE) == f"{planned} {str(verb == 'pause').lower()}"
    assert await at.plan.connection.fetch(MISCOUNTED) == []


@pytest.mark.parametrize("verb", VERBS)
async def test_a_worker_frozen_after_a_page_holds_up_no_verb(at: Desk, fresh_database_url: str, verb: str) -> None:
    await start(at)
    async with frozen_in(fresh_database_url, partial(plan_page, at)):
        await move(at, verb)
    assert await at.value(PLANNED) == 0  # whoever was frozen has lost the page


async def test_two_who_plan_wait_for_each_other_and_plan_everyone_once(
    at: Desk, worker_settings: dict[str, str]
) -> None:
    await start(at)
    async with idle_worker(worker_settings) as worker:
        async with held_in_a_page(at):
            planning = [asyncio.create_task(expand_campaign(worker.engine, at.plan.campaign_id)) for _ in range(2)]
            await eventually(partial(at.has_waiters, 2), 20)
        await asyncio.gather(*planning)
    assert await at.value("SELECT count(DISTINCT contact_id) || ' of ' || count(*) FROM messages") == "20 of 20"
    assert await at.value(AUDIENCE) == "20 true"


async def test_a_page_gives_way_to_who_holds_the_campaign_and_waits_for_what_it_has_locked(at: Desk) -> None:
    await start(at)
    contact_id = await at.value("SELECT id FROM contacts LIMIT 1")

    async def page() -> None:
        async with at.store.transaction() as rooms:
            await plan_page(at, rooms)

    async with at.store.transaction() as holder:
        await holder.campaigns.lock_campaign(at.plan.campaign_id)
        async with held_in_a_page(at):
            planning = asyncio.create_task(page())
            await eventually(partial(at.has_waiters, 1), 20)
            locking = asyncio.create_task(holder.contacts.lock_contact(contact_id))
            await eventually(partial(at.has_waiters, 2), 20)
        with pytest.raises(Conflict) as given_way:
            await planning
        await locking
    assert isinstance(given_way.value.__cause__, asyncpg.LockNotAvailableError)
    await page()
    assert await at.value(PLANNED) == 10


@pytest.mark.parametrize("verb", VERBS)
async def test_a_worker_frozen_in_an_announcement_holds_up_no_verb(
    at: Desk, fresh_database_url: str, verb: str
) -> None:
    async with frozen_in(fresh_database_url, lambda rooms: announce(rooms, template("PAUSED"))):
        await move(at, verb)


async def test_a_number_is_stopped_while_a_worker_is_frozen_that_heard_of_it(at: Desk, fresh_database_url: str) -> None:
    async with (
        frozen_in(fresh_database_url, lambda rooms: announce(rooms, number("UPGRADE"))),
        asyncio.timeout(WITHIN),
        at.store.transaction() as rooms,
    ):
        await rooms.senders.pause_sender(at.plan.sender_id, reason="", at=NOW)
    assert await at.value("SELECT state FROM senders") == "PAUSED"


@pytest.mark.parametrize("verb", VERBS)
async def test_a_server_frozen_in_a_retry_holds_up_no_verb(at: Desk, fresh_database_url: str, verb: str) -> None:
    await at.value("UPDATE messages SET state = 'FAILED', error_code = 131000, reason = 'UNDELIVERED'")
    async with frozen_in(fresh_database_url, partial(retry, at)):
        await move(at, verb)


async def test_a_retry_counts_before_it_holds_the_campaign(at: Desk) -> None:
    await at.value("UPDATE messages SET state = 'FAILED', error_code = 131000, reason = 'UNDELIVERED'")
    at.database.forget()
    async with at.store.transaction() as rooms:
        await retry(at, rooms)
    done = at.database.statements
    held = done[done.index("reopen_campaign") :]
    assert [name for name in held if name.startswith("count_")] == []


@pytest.mark.parametrize("verb", VERBS)
async def test_an_announcement_beside_a_receipt_that_waits_holds_up_no_verb(at: Desk, verb: str) -> None:
    ref, *_ = await at.sent()
    told = status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)
    async with at.database.transaction() as holder:
        await holder.fetchval("SELECT id FROM messages WHERE id = $1 FOR UPDATE", ref.message_id)
        applying = asyncio.create_task(at.deliver(body(statuses=[told]), template("FLAGGED")))
        await asyncio.wait({applying}, timeout=WITHIN)
        await move(at, verb)
    assert (await applying).more
    await at.apply()
    assert await at.value("SELECT state FROM messages WHERE id = $1", ref.message_id) == "READ"
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0


async def test_thousands_of_receipts_beside_an_announcement_are_given_the_time_they_take(at: Desk) -> None:
    told = status("read", NOW, wamid="wamid.of.nobody")
    flagged = orjson.loads(template("FLAGGED"))
    flagged["entry"] += orjson.loads(body(statuses=[told | {"id": f"{told['id']}{n}"} for n in range(12_000)]))["entry"]
    assert (await at.deliver(orjson.dumps(flagged))).delivery_count == 1
    assert await at.value("SELECT count(*) FROM webhook_deliveries WHERE apply_time IS NULL") == 0
    assert await at.value("SELECT count(*) FROM parked_receipts") == 12_000


async def test_transactions_of_a_worker_end_when_it_is_frozen(at: Desk, worker_settings: dict[str, str]) -> None:
    async with idle_worker(worker_settings) as worker, worker.engine.store.transaction() as rooms:
        assert await rooms._connection.fetchval(IDLE) == "5s"


async def test_who_keeps_house_for_long_stays_the_keeper_but_not_once_it_is_frozen(
    at: Desk, worker_settings: dict[str, str]
) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def takes_long(engine: Engine) -> None:
        begun.set()
        await over.wait()

    async with idle_worker(worker_settings) as worker:
        keeping = asyncio.create_task(Keeper(engine=worker.engine, scouts=(), chores=(takes_long,)).tick())
        await begun.wait()
        await eventually(lambda: at.value(KEEPS_FOR_LONG, LOCK))
        over.set()
        await keeping
        with pytest.raises(Unavailable):
            await _keep_house_frozen(at, worker.engine)


async def _keep_house_frozen(at: Desk, engine: Engine) -> None:
    async with engine.store.transaction() as frozen:
        assert await frozen.pumps.lock_keeper(LOCK)
        await eventually(lambda: _is_free(at))
        await frozen.pumps.beat()


async def _is_free(at: Desk) -> bool:
    return bool(await at.value("SELECT pg_try_advisory_xact_lock($1)", LOCK))
