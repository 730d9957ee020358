"""Stored webhooks applied once more: what is there stays as it is, what was not understood is counted by kind."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from core.clock import SystemClock
from core.repositories.replays import Selection
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.webhook_bodies import account_body, body, reply, status

ANN = "+491700000001"
EVER = Selection(since=datetime.fromtimestamp(0, UTC), until=datetime(2100, 1, 1, tzinfo=UTC))
RESTRICTED = {
    "event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"}],
}  # fmt: skip
TABLES = ("messages", "interactions", "consent_events", "contacts", "service_windows", "templates", "campaigns")


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, [ANN]) as made:
        yield made


async def give_back(at: Desk, selection: Selection = EVER) -> int:
    now, count, after = SystemClock().now(), 0, UUID(int=0)
    async with at.store.transaction() as rooms:
        while page := await rooms.replays.replay_deliveries(selection, at=now, after=after, limit=2):
            count, after = count + len(page), page[-1]
        assert await rooms.replays.count_waiting_replays(now) == count
    return count


async def all_rows(at: Desk) -> dict[str, list[str]]:
    query = "SELECT {0}::text AS row FROM {0} ORDER BY 1"
    return {table: [row["row"] for row in await at.plan.connection.fetch(query.format(table))] for table in TABLES}


async def everything_happens(at: Desk) -> None:
    [ref] = await at.sent()
    await at.deliver(
        body(statuses=[status("delivered", NOW, wamid=f"wamid.{ref.message_id}", ref=ref)]),
        body(messages=[reply("hello", NOW, wamid="wamid.1", phone=ANN)]),
        body(messages=[reply("STOP", NOW, wamid="wamid.2", phone=ANN)]),
        account_body("account_update", RESTRICTED, time=int(NOW.timestamp())),
        body(field="of_the_future", things=[{"a": 1}]),
    )
    await at.apply()  # what was announced came first, alone


async def test_applying_again_changes_nothing_that_is_there(at: Desk) -> None:
    await everything_happens(at)
    await at.value("UPDATE campaigns SET state = 'RUNNING', pause_source = '', pause_reason = ''")
    before = await all_rows(at)
    assert await give_back(at) == 5
    assert (await at.apply()).delivery_count == 5
    assert await all_rows(at) == before, "a restriction that is over pauses nothing either"


async def test_what_was_lost_by_a_fault_of_ours_comes_back(at: Desk) -> None:
    await everything_happens(at)
    await at.value("DELETE FROM interactions")
    await give_back(at)
    await at.apply()
    assert await at.value("SELECT count(*) FROM interactions") == 2


async def test_one_or_only_the_strange_ones_can_be_chosen(at: Desk) -> None:
    await everything_happens(at)
    await at.deliver(b"no JSON")
    strange = Selection(since=EVER.since, until=EVER.until, only_strange=True)
    async with at.store.connection() as rooms:
        assert (await rooms.replays.count_replayable(EVER))[0] == 6
        assert (await rooms.replays.count_replayable(strange))[0] == 2
    first = await at.value("SELECT min(id::text)::uuid FROM webhook_deliveries")
    assert await give_back(at, Selection(since=EVER.since, until=EVER.until, ids=(first,))) == 1
    earlier = Selection(since=EVER.since, until=SystemClock().now() - timedelta(hours=1))
    assert await give_back(at, earlier) == 0


async def test_what_is_not_understood_is_counted_by_kind(at: Desk) -> None:
    strange: dict[str, Any] = {"from": ANN[1:], "id": "wamid.s", "timestamp": "1760000000", "type": "hologram"}
    await at.deliver(
        body(field="of_the_future"), body(field="of_the_future"), b"no JSON", body(messages=[strange]),
        body(statuses=[{"id": "wamid.t", "status": "teleported", "timestamp": "1760000000"}, {"status": "sent"}]),
    )  # fmt: skip
    async with at.store.connection() as rooms:
        kinds = await rooms.replays.list_strange_kinds(since=EVER.since, limit=10)
    assert {each.kind: each.count for each in kinds} == {
        "field of_the_future": 2, "failed: the body is not JSON": 1, "message hologram": 1, "receipt teleported": 1,
        "unreadable id": 1,
    }  # fmt: skip
    assert await at.value("SELECT count(*) FROM interactions WHERE kind = 'OTHER'") == 1, "it is kept all the same"


async def test_a_refusal_that_came_after_other_receipts_is_one_when_all_are_applied_together(at: Desk) -> None:
    [ref] = await at.sent()
    for word, seconds in (("sent", 0), ("failed", 3)):
        told = status(word, NOW + timedelta(seconds=seconds), wamid="wamid.x", ref=ref, code=131050)
        await at.deliver(body(statuses=[told]))
    before = await all_rows(at)
    await give_back(at)
    await at.apply()
    assert len(before["consent_events"]) == 1
    assert await all_rows(at) == before
