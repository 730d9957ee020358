"""Receipts wait while a stop is applied, and go on once it is."""

import asyncio

from core.queries import load
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, reply, status
from tests.helpers.workers import idle_worker
from workers.tasks.receipts import apply_deliveries
from workers.tasks.urgent import apply_urgent

PERSON, OTHER = numbers(2)
REF = "SELECT messages.id FROM messages JOIN contacts ON contacts.id = contact_id WHERE phone_number = $1"
CONSENT = "SELECT marketing_consent FROM contacts WHERE phone_number = $1"


async def test_receipts_wait_while_a_stop_is_applied(fresh_database_url: str, worker_settings: dict[str, str]) -> None:
    async with desk(fresh_database_url, [PERSON, OTHER]) as at, idle_worker(worker_settings) as worker:
        message_id = await at.value(REF, OTHER)
        (ref,) = [ref for ref in await at.sent() if ref.message_id == message_id]
        told = [status("read", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)]
        await _put(at, body(messages=[reply("Stop!", NOW, wamid="wamid.stop", phone=PERSON)]), urgent=True)
        await _put(at, body(statuses=told), urgent=False)
        async with at.database.transaction() as holder:
            # The one thing the stop waits for without a bound: an erasure, which bounds its own waits.
            await holder.execute(load("erasure")["take_turn"])
            stop = asyncio.create_task(apply_urgent(worker.engine))
            await eventually(lambda: at.has_waiters(1))
            receipts = asyncio.create_task(apply_deliveries(worker.engine))
            done, _ = await asyncio.wait([receipts], timeout=0.3)
            assert not done
            assert await at.has_waiters(1), "the receipts have not even begun"
            assert "READ" not in await at.plan.states()
        await asyncio.gather(stop, receipts)
        assert await at.value(CONSENT, PERSON) == "OPTED_OUT"
        assert (await at.plan.states())["READ"] == 1


async def _put(at: Desk, raw: bytes, *, urgent: bool) -> None:
    async with at.store.connection() as rooms:
        await rooms.deliveries.append_deliveries([raw], urgent=[urgent])
