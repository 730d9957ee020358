"""A change happens once per request id, in one transaction with its reply and its audit row."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest
from chappe.v1 import contacts_pb2, contacts_service_pb2

from core.db import TRANSACTION_CONFLICT, Database
from core.domain.access import Caller, Role
from core.domain.errors import Conflict, InvalidArgument, NotFound, Unavailable, WrongState
from core.repositories.rooms import Rooms, Store
from server.mutations import Mutations
from tests.helpers.callers import CALLER, calling

Contact = contacts_pb2.Contact
Apply = Callable[[Rooms], Awaitable[Contact]]


def request(request_id: str = "one", name: str = "Ada") -> contacts_service_pb2.CreateContactRequest:
    return contacts_service_pb2.CreateContactRequest(contact=Contact(display_name=name), request_id=request_id)


@pytest.fixture
async def store(fresh_database_url: str) -> AsyncIterator[Store]:
    async with Database(url=fresh_database_url) as database:
        yield Store(database)


class Effects:
    """Counts how often a change was made: a key's row stands for anything a service may write."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.runs = 0

    async def apply(self, rooms: Rooms) -> Contact:
        self.runs += 1
        mark = self.runs.to_bytes(4)
        await rooms.api_keys.add(display_name="effect", role=Role.VIEWER, key_prefix="p", key_hash=mark)
        return Contact(name=f"contacts/{self.runs}")

    async def count(self) -> int:
        async with self._store.connection() as rooms:
            return len(await rooms.api_keys.list_all())


async def run(store: Store, apply: Apply, asked: contacts_service_pb2.CreateContactRequest | None = None) -> Contact:
    with calling():
        return await Mutations(store=store).run(request() if asked is None else asked, Contact, apply)


async def test_a_hundred_parallel_calls_with_one_request_id_have_one_effect_and_equal_replies(store: Store) -> None:
    effects = Effects(store)
    replies = await asyncio.gather(*(run(store, effects.apply) for _ in range(100)))
    assert await effects.count() == 1
    assert {reply.SerializeToString() for reply in replies} == {replies[0].SerializeToString()}


async def test_without_a_request_id_each_call_has_its_effect(store: Store) -> None:
    effects = Effects(store)
    for _ in range(2):
        await run(store, effects.apply, request(request_id=""))
    assert await effects.count() == 2


async def test_a_request_id_with_another_request_is_refused(store: Store) -> None:
    effects = Effects(store)
    await run(store, effects.apply)
    with pytest.raises(InvalidArgument) as refused:
        await run(store, effects.apply, request(name="Grace"))
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert await effects.count() == 1


async def test_request_ids_of_two_callers_and_two_methods_are_strangers(store: Store) -> None:
    effects, mutations = Effects(store), Mutations(store=store)
    other = Caller(api_key_id=UUID(int=8), role=Role.ADMIN)
    for context in (calling(), calling(caller=other), calling("/chappe.v1.ContactsService/UpdateContact")):
        with context:
            await mutations.run(request(), Contact, effects.apply)
    assert await effects.count() == 3


async def test_a_refused_change_leaves_nothing_and_may_be_tried_again(store: Store) -> None:
    effects = Effects(store)

    async def refuse(rooms: Rooms) -> Contact:
        await effects.apply(rooms)
        raise NotFound("CONTACT_NOT_FOUND", "There is none.")

    with pytest.raises(NotFound):
        await run(store, refuse)
    assert await effects.count() == 0
    await run(store, effects.apply)
    assert await effects.count() == 1


async def test_a_change_that_lost_once_against_another_is_made_again(store: Store) -> None:
    effects = Effects(store)

    async def lose_once(rooms: Rooms) -> Contact:
        made = await effects.apply(rooms)
        if effects.runs == 1:
            raise Conflict(TRANSACTION_CONFLICT, "Deadlock.")
        return made

    assert (await run(store, lose_once)).name == "contacts/2"
    assert await effects.count() == 1


async def test_a_change_that_lost_twice_is_a_conflict(store: Store) -> None:
    effects = Effects(store)

    async def lose(rooms: Rooms) -> Contact:
        await effects.apply(rooms)
        raise Conflict(TRANSACTION_CONFLICT, "Deadlock.")

    with pytest.raises(Conflict):
        await run(store, lose)
    assert (effects.runs, await effects.count()) == (2, 0)


async def test_a_real_deadlock_ends_well_for_both(store: Store, fresh_database_url: str) -> None:
    ready = asyncio.Barrier(2)
    async with Database(url=fresh_database_url) as database:
        async with database.connection() as connection:
            await connection.execute("CREATE TABLE pair (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
            await connection.execute("INSERT INTO pair (id) VALUES (1), (2)")

        def crossing(first: int, second: int) -> Apply:
            tries = 0

            async def apply(rooms: Rooms) -> Contact:
                nonlocal tries
                tries += 1
                touch = "UPDATE pair SET n = n + 1 WHERE id = $1"
                await rooms._connection.execute(touch, first)
                if tries == 1:
                    await ready.wait()
                await rooms._connection.execute(touch, second)
                return Contact()

            return apply

        await asyncio.gather(run(store, crossing(1, 2), request("a")), run(store, crossing(2, 1), request("b")))
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT array_agg(n ORDER BY id) FROM pair") == [2, 2]


async def test_each_change_is_audited_once_with_its_key_and_its_resource(store: Store) -> None:
    effects = Effects(store)
    for _ in range(2):
        await run(store, effects.apply)
    async with store.connection() as rooms:
        events = await rooms.audit.list_of_resource("contacts/1")
    assert [(event.api_key_id, event.method, event.request_id) for event in events] == [
        (CALLER.api_key_id, "/chappe.v1.ContactsService/CreateContact", "call-1")
    ]


async def test_an_erased_person_is_not_told_of_again(store: Store) -> None:
    effects, person = Effects(store), UUID(int=5)
    with calling():
        await Mutations(store=store).run(request(), Contact, effects.apply, contact_id=lambda _: person)
    async with store.transaction() as rooms:
        await rooms.idempotency.forget_contact(person)
    with pytest.raises(WrongState) as refused:
        await run(store, effects.apply)
    assert refused.value.reason == "REPLY_ERASED"
    assert await effects.count() == 1


async def test_a_database_that_is_away_is_a_refusal_that_may_be_tried_again() -> None:
    with pytest.raises(Unavailable) as refused:
        async with Database(url="postgresql://127.0.0.1:1/nowhere"):
            pass
    assert refused.value.reason == "DATABASE_UNAVAILABLE"


async def test_a_text_that_cannot_be_stored_is_the_callers_mistake(store: Store) -> None:
    async def nul(rooms: Rooms) -> Contact:
        await rooms.api_keys.add(display_name="a\0b", role=Role.VIEWER, key_prefix="p", key_hash=b"1")
        return Contact()

    with pytest.raises(InvalidArgument) as refused:
        await run(store, nul)
    assert refused.value.reason == "TEXT_INVALID"
