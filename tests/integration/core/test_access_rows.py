"""Rows of access: keys, replies by request id, audit."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.db import Connection
from core.domain.access import Role
from core.domain.errors import NotFound
from core.repositories.idempotency import RequestKey
from core.repositories.rooms import Rooms

KEY = RequestKey(api_key_id=UUID(int=1), method="/chappe.v1.X/Y", request_id="one")


@pytest.fixture
def rooms(connection: Connection) -> Rooms:
    return Rooms(connection)


async def test_a_revoked_key_keeps_its_first_end_and_an_unknown_one_is_refused(rooms: Rooms) -> None:
    await rooms.api_keys.add(display_name="a", role=Role.ADMIN, key_prefix="chappe_a_x", key_hash=b"1")
    first = await rooms.api_keys.revoke("chappe_a_x")
    assert first.revoke_time is not None
    assert (await rooms.api_keys.revoke("chappe_a_x")).revoke_time == first.revoke_time
    with pytest.raises(NotFound):
        await rooms.api_keys.revoke("chappe_a_y")


async def test_keys_are_listed_the_newest_first(rooms: Rooms) -> None:
    for number in range(3):
        await rooms.api_keys.add(
            display_name=str(number), role=Role.VIEWER, key_prefix="p", key_hash=bytes([number]), expire_time=None
        )
    assert [key.display_name for key in await rooms.api_keys.list_all(limit=2)] == ["2", "1"]


async def test_old_replies_are_removed_and_young_ones_stay(rooms: Rooms, connection: Connection) -> None:
    old = RequestKey(api_key_id=KEY.api_key_id, method=KEY.method, request_id="old")
    for key in (KEY, old):
        assert await rooms.idempotency.reserve(key, digest=b"d")
    await connection.execute(
        "UPDATE idempotent_requests SET create_time = now() - interval '25 hours' WHERE request_id = 'old'"
    )
    before = datetime.now(UTC) - timedelta(hours=24)  # noqa: TID251  # the database's own clock is what is compared
    assert [await rooms.idempotency.purge(before=before, limit=10) for _ in range(2)] == [1, 0]
    assert await rooms.idempotency.find(old) is None
    assert await rooms.idempotency.find(KEY) is not None
    assert not await rooms.idempotency.reserve(KEY, digest=b"d")


async def test_audit_tells_of_one_resource_the_newest_first(rooms: Rooms) -> None:
    for method in ("first", "second"):
        await rooms.audit.add(api_key_id=KEY.api_key_id, method=method, resource_name="contacts/1", request_id="r")
    await rooms.audit.add(api_key_id=KEY.api_key_id, method="other", resource_name="contacts/2", request_id="r")
    assert [event.method for event in await rooms.audit.list_of_resource("contacts/1")] == ["second", "first"]
