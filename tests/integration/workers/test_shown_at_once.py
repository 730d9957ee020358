"""What workers change of templates, senders and categories is shown at once, however long a reply may be kept."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import grpc
import pytest
import redis.asyncio as redis
from chappe.v1 import templates_pb2, templates_pb2_grpc

from core.cache.keys import generation_keys
from core.db import Database
from core.domain.errors import Unavailable
from core.repositories.rooms import Store
from server.assembly import assembled
from server.keys import create_key
from tests.helpers.campaign_rows import add_category
from tests.helpers.eventually import eventually
from tests.helpers.proxy import Proxy
from tests.helpers.sending import ACCOUNT, CLOCK, Plan, numbers, planned, settings
from tests.helpers.webhook_bodies import account_body, body, reply
from tests.helpers.workers import idle_worker
from workers.assembly import Worker
from workers.tasks.receipts import apply_deliveries
from workers.tasks.senders import refresh_sender

Act = Callable[[Worker, Plan], Awaitable[None]]


def about_template(field: str, **event: object) -> bytes:
    later = CLOCK.now() + timedelta(minutes=1)
    return account_body(field, {"message_template_id": 900, **event}, time=int(later.timestamp()))


PAUSED = partial(about_template, "message_template_status_update", event="PAUSED")
MOVED = partial(about_template, "template_category_update", new_category="UTILITY", previous_category="MARKETING")


async def deliver(worker: Worker, *bodies: bytes) -> None:
    """Lets the worker apply what WhatsApp told."""
    async with worker.engine.store.connection() as rooms:
        await rooms.deliveries.append_deliveries(list(bodies))
    await apply_deliveries(worker.engine)


async def hear_of_a_pause(worker: Worker, _: Plan) -> None:
    await deliver(worker, PAUSED())


async def hear_of_another_category(worker: Worker, _: Plan) -> None:
    await deliver(worker, MOVED())


async def hear_of_an_upgrade(worker: Worker, plan: Plan) -> None:
    await plan.connection.execute("UPDATE senders SET phone_number = '+1 555-000-1111'")
    event = {"display_phone_number": "15550001111", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_100K"}
    change = account_body("phone_number_quality_update", event, time=int(CLOCK.now().timestamp()))
    await deliver(worker, change.replace(b'"200"', f'"{ACCOUNT}"'.encode()))


async def ask_about_a_number(worker: Worker, plan: Plan) -> None:
    await refresh_sender(worker.engine, plan.sender_id)


async def ask_about_a_number_nobody_knows(worker: Worker, plan: Plan) -> None:
    await plan.connection.execute("UPDATE senders SET phone_number_id = '1'")
    await refresh_sender(worker.engine, plan.sender_id)


async def hear_of_a_new_number_that_is_known(worker: Worker, plan: Plan) -> None:
    before, after = await plan.connection.fetch("SELECT id, phone_number FROM contacts ORDER BY id")
    await add_category(plan.connection, [before["id"]], name="Customers")
    told = {"type": "user_changed_number", "body": "changed", "wa_id": after["phone_number"][1:]}
    message = reply("", CLOCK.now(), wamid="wamid.new", phone=before["phone_number"])
    await deliver(worker, body(messages=[{**message, "type": "system", "system": told}]))
    assert await plan.connection.fetchval("SELECT count(*) FROM category_contacts") == 2


CHANGES: dict[str, tuple[Act, str]] = {
    "a template is paused": (hear_of_a_pause, "templates"),
    "a template is moved to another category": (hear_of_another_category, "templates"),
    "a number is upgraded": (hear_of_an_upgrade, "senders"),
    "a number was asked about": (ask_about_a_number, "senders"),
    "a number is not known": (ask_about_a_number_nobody_knows, "senders"),
    "one contact stands in for another": (hear_of_a_new_number_that_is_known, "categories"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_a_worker_changes_outdates_what_is_kept_of_it(
    fresh_database_url: str, worker_settings: dict[str, str], cache_url: str, change: str
) -> None:
    act, collection = CHANGES[change]
    async with (
        planned(fresh_database_url, numbers(2)) as plan,
        idle_worker(worker_settings, CACHE_URL=cache_url) as worker,
    ):
        await act(worker, plan)
        assert await eventually(partial(raised, cache_url)) == set(generation_keys([collection]))


async def test_a_template_that_whatsapp_pauses_is_shown_as_paused_although_its_reply_may_be_kept_for_minutes(
    fresh_database_url: str, worker_settings: dict[str, str], cache_url: str
) -> None:
    async with (
        planned(fresh_database_url, numbers(1)) as plan,
        idle_worker(worker_settings, CACHE_URL=cache_url) as worker,
        served({**worker_settings, "CHAPPE_CACHE_URL": cache_url}) as ask,
    ):
        request = templates_pb2.GetTemplateRequest(name=f"templates/{await template(plan)}")
        assert [(await ask(request))[1] for _ in range(2)] == ["miss", "hit"]
        await deliver(worker, PAUSED())
        # A tenth of a second is promised; the rest is left to a machine that has much else to do.
        await eventually(partial(is_paused, ask, request), 2, message="the pause is shown")


async def test_what_could_not_be_told_is_told_when_the_caches_server_is_back(
    fresh_database_url: str, worker_settings: dict[str, str], cache_url: str
) -> None:
    proxy = Proxy(cache_url)
    await proxy.open()
    await proxy.close()
    try:
        async with (
            planned(fresh_database_url, numbers(1)) as plan,
            idle_worker(worker_settings, CACHE_URL=proxy.url) as worker,
        ):
            await hear_of_a_pause(worker, plan)
            await refresh_sender(worker.engine, plan.sender_id)
            assert not await raised(cache_url)
            await proxy.open()
            expected = set(generation_keys(["templates", "senders"]))
            await eventually(partial(are_raised, cache_url, expected), 20)
    finally:
        await proxy.close()


async def test_a_change_is_told_after_its_commit_also_where_no_answer_came_to_it(fresh_database_url: str) -> None:
    told: list[set[str]] = []
    async with Database(url=fresh_database_url, pool_size=1) as database:
        store = Store(database, outdate=lambda collections: told.append(set(collections)))
        async with store.transaction() as rooms:
            rooms.outdate("templates")
            rooms.outdate("senders", "templates")
            assert not told
        with pytest.raises(Unavailable):
            await lose_the_database(store)
        async with store.transaction():
            pass
    assert told == [{"templates", "senders"}, {"categories"}]


async def lose_the_database(store: Store) -> None:
    async with store.transaction() as rooms:
        rooms.outdate("categories")
        raise Unavailable("DATABASE_UNAVAILABLE", "No answer.")


Ask = Callable[[templates_pb2.GetTemplateRequest], Awaitable[tuple[templates_pb2.Template, str]]]


@asynccontextmanager
async def served(variables: dict[str, str]) -> AsyncIterator[Ask]:
    """Yields a way to ask a server with its cache for a template; it returns how the cache answered, too."""
    given = settings(**variables, CHAPPE_GRPC_PORT="0", CHAPPE_HASH_KEY="k", CHAPPE_CACHE_TIMEOUT_SECONDS="2")
    async with assembled(settings=given, clock=CLOCK) as door, Database(url=given.database_url) as database:
        metadata = (("authorization", f"Bearer {await create_key(Store(database), role='VIEWER')}"),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await door.open()}") as channel:
            stub = templates_pb2_grpc.TemplatesServiceStub(channel)

            async def ask(request: templates_pb2.GetTemplateRequest) -> tuple[templates_pb2.Template, str]:
                made = stub.GetTemplate(request, metadata=metadata, timeout=10)
                return await made, str(dict(await made.trailing_metadata())["chappe-cache"])

            yield ask
        await door.close()


async def is_paused(ask: Ask, request: templates_pb2.GetTemplateRequest) -> bool:
    return bool((await ask(request))[0].state == templates_pb2.Template.STATE_PAUSED)


async def template(plan: Plan) -> str:
    return str(await plan.connection.fetchval("SELECT id FROM templates"))


async def raised(cache_url: str) -> set[str]:
    """Returns where the cache's server keeps generations."""
    async with redis.Redis.from_url(cache_url) as server:
        return {key.decode() async for key in server.scan_iter("*")}


async def are_raised(cache_url: str, keys: set[str]) -> bool:
    return await raised(cache_url) == keys
