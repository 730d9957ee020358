"""Erasures and the applying of webhooks take turns: neither misses what the other does, and none waits for long."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.domain.errors import WrongState
from core.queries import load
from tests.helpers.erasing import ANN, BOB, contact_of, erase_contact
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import body, reply

# Who wrote a body waits at the end of the transaction, all done but the commit, for lock 1.
WAIT_TO_COMMIT = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait AFTER UPDATE ON webhook_deliveries
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait()"""
SLOW: dict[str, tuple[str, ...]] = {
    "a worker that applies": (load("erasure")["hold_off"],),
    "whoever changes the contact": ("SELECT id FROM contacts WHERE phone_number = $1 FOR UPDATE", ANN),
}


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN, BOB]) as made:
        yield made


async def put(at: Desk, raw: bytes) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([raw])


async def test_an_erasure_waits_for_what_is_being_applied(at: Desk) -> None:
    await put(at, body(field="calls", calls=[{"id": "call", "from": ANN[1:]}]))
    contact_id = await contact_of(at, ANN)
    await at.plan.connection.execute(WAIT_TO_COMMIT)
    async with at.database.transaction() as holder:
        await holder.fetchval("SELECT pg_advisory_xact_lock(1)")
        applying = asyncio.create_task(at.apply())
        await eventually(lambda: at.has_waiters(1))
        erasure = asyncio.create_task(erase_contact(at, contact_id))
        await eventually(lambda: erasure.done() or at.has_waiters(2))
    await asyncio.gather(applying, erasure)
    assert ANN[1:].encode() not in await at.value("SELECT body FROM webhook_deliveries")


@pytest.mark.parametrize("slow", SLOW)
async def test_a_stop_does_not_wait_for_an_erasure_that_someone_slow_holds_up(at: Desk, slow: str) -> None:
    contact_id = await contact_of(at, ANN)
    await put(at, body(messages=[reply("STOP", NOW, wamid="wamid.d", phone=BOB)]))
    async with at.database.transaction() as holder:
        await holder.fetch(*SLOW[slow])
        erasure = asyncio.create_task(erase_contact(at, contact_id))
        await eventually(lambda: at.has_waiters(1))
        await at.apply()
        assert await at.value("SELECT marketing_consent FROM contacts WHERE phone_number = $1", BOB) == "OPTED_OUT"
    with pytest.raises(WrongState, match="try again") as busy:
        await erasure
    assert busy.value.reason == "CONTACT_BUSY"
    assert busy.value.retry_after > 0
    await erase_contact(at, contact_id)
