"""What WhatsApp says of numbers, asked by the keeper: a new one is made known, an upgraded one gets its new pace."""

import asyncio
from functools import partial
from uuid import UUID

import orjson

from core.db import Connection
from core.repositories.rooms import Store
from core.repositories.senders import Senders
from tests.helpers.campaign_rows import add_sender
from tests.helpers.eventually import eventually
from tests.helpers.lock_waits import WAITERS
from tests.helpers.receiving import KEY, NOW
from tests.helpers.sending import ACCOUNT, numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import busy_worker, idle_worker, pump_out
from workers.tasks.receipts import apply_batch
from workers.tasks.senders import refresh_sender


def upgraded(display: str) -> bytes:
    value = {"display_phone_number": display, "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_100K"}
    change = {"field": "phone_number_quality_update", "value": value}
    entry = {"id": ACCOUNT, "time": int(NOW.timestamp()), "changes": [change]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


async def test_a_number_nobody_refreshed_is_made_known_and_then_upgraded_when_whatsapp_announces_it(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1), per_second=80) as plan, busy_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE senders SET refresh_time = NULL")
        await eventually(partial(_rate_is, plan.connection, 1000), 20)
        display = str(await plan.connection.fetchval("SELECT phone_number FROM senders"))
        # As it was before the upgrade: known, and at the standard pace.
        await plan.connection.execute("UPDATE senders SET throughput_level = 'STANDARD', messages_per_second = 80")
        await _deliver(worker.engine.store, upgraded(display))
        await eventually(partial(_rate_is, plan.connection, 1000), 20)


async def test_an_announcement_about_another_number_asks_nothing(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE senders SET phone_number = '+1 555-000-1111'")
        await _deliver(worker.engine.store, upgraded("15550009999"))
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is not None
        await _deliver(worker.engine.store, upgraded("15550001111"))
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is None


async def test_an_upgrade_announced_while_whatsapp_is_asked_has_it_asked_again(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE senders SET refresh_time = NULL")
        async with plan.connection.transaction():  # type: ignore[attr-defined]  # a pool's connection has more
            await plan.connection.execute("SELECT FROM senders FOR UPDATE")
            refreshing = asyncio.create_task(refresh_sender(worker.engine, plan.sender_id))
            await eventually(partial(_somebody_waits, plan.connection))
            await Senders(plan.connection).forget_refresh_of(plan.sender_id)
        await refreshing
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is None
        await refresh_sender(worker.engine, plan.sender_id)
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is not None


async def test_the_first_message_taken_after_an_upgrade_asks_for_the_new_pace(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan, idle_worker(worker_settings) as worker:
        await whatsapp_and_url[0].add_rule(endpoint="messages", action="refuse", code=131057, trigger="next")
        await pump_out(worker, plan.sender_id)
        assert await plan.value("state") == "PENDING"
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is not None
        await plan.connection.execute("UPDATE messages SET not_before_time = now()")
        await pump_out(worker, plan.sender_id)
        assert await plan.connection.fetchval("SELECT refresh_time FROM senders") is None


async def test_a_number_whatsapp_does_not_know_is_paused_and_says_why(
    fresh_database_url: str, worker_settings: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan:
        stranger = await add_sender(plan.connection, phone_number_id="999999999999999", account=ACCOUNT)
        async with busy_worker(worker_settings):
            await eventually(partial(_is_paused, plan.connection, stranger), 20)
        reason = await plan.connection.fetchval("SELECT pause_reason FROM senders WHERE id = $1", stranger)
        assert "WhatsApp knows no such number" in reason


async def _deliver(store: Store, body: bytes) -> None:
    async with store.connection() as rooms:
        await rooms.deliveries.append_deliveries([body])
    await apply_batch(store, now=NOW, hash_key=KEY, limit=100)


async def _somebody_waits(connection: Connection) -> bool:
    return bool(await connection.fetchval(WAITERS))


async def _rate_is(connection: Connection, rate: float) -> bool:
    return bool(await connection.fetchval("SELECT messages_per_second = $1 FROM senders", rate))


async def _is_paused(connection: Connection, sender_id: UUID) -> bool:
    return bool(await connection.fetchval("SELECT state = 'PAUSED' FROM senders WHERE id = $1", sender_id))
