"""A stop of which no bell tells: its ring was a frozen worker's, which keeps house as well."""

from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, reply
from tests.helpers.workers import busy_worker, idle_worker
from workers.keeper import LOCK

(PERSON,) = numbers(1)
CONSENT = "SELECT marketing_consent FROM contacts WHERE phone_number = $1"
WITHIN = 1.0


async def test_a_stop_is_heard_within_a_second_while_who_keeps_house_is_frozen(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with desk(fresh_database_url, [PERSON]) as at, at.database.transaction() as frozen:
        await frozen.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        async with busy_worker(worker_settings), at.store.connection() as rooms:
            stop = body(messages=[reply("Stop!", NOW, wamid="wamid.stop", phone=PERSON)])
            await rooms.deliveries.append_deliveries([stop], urgent=[True])
            await eventually(lambda: _is_out(at), timeout=WITHIN)


async def test_what_somebody_else_applies_just_now_is_asked_about_once_a_second(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with desk(fresh_database_url, [PERSON]) as at, idle_worker(worker_settings) as worker:
        async with at.store.connection() as rooms:
            stop = body(messages=[reply("Stop!", NOW, wamid="wamid.stop", phone=PERSON)])
            await rooms.deliveries.append_deliveries([stop], urgent=[True])
        assert not await worker.watch.look()
        async with at.database.transaction() as holder:
            await holder.execute("SELECT id FROM webhook_deliveries FOR UPDATE")
            assert await worker.watch.look()
            assert not await _is_out(at)
        assert await worker.watch.look()
        assert await _is_out(at)
        assert not await worker.watch.look()


async def _is_out(at: Desk) -> bool:
    return bool(await at.value(CONSENT, PERSON) == "OPTED_OUT")
