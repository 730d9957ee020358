"""What a caller says while a large audience is being planned holds, and what was planned is accounted for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from chappe.v1 import campaigns_pb2, campaigns_service_pb2

from core.domain.errors import Unavailable
from tests.helpers.eventually import eventually
from tests.helpers.sending import CLOCK
from tests.helpers.sending_api import SendingApi, serving_sends
from tests.helpers.workers import idle_worker
from tests.property.stage import MISCOUNTED
from workers.assembly import Worker
from workers.tasks.campaigns import cancel_messages, expand_campaign

_AUDIENCE = 60_000
_FEW = 200
_PEOPLE = """
    INSERT INTO contacts (phone_number, display_name, attributes)
    SELECT '+49171' || (1000000 + n), 'Ann', '{"city": "Rome"}' FROM generate_series(1, $1::integer) AS n"""
_STATES = """
    SELECT array_agg(found.state || ' ' || found.count) FROM (
        SELECT state, count(*) FROM messages WHERE campaign_id = $1 GROUP BY state
    ) AS found"""


@asynccontextmanager
async def expanding(
    given: dict[str, str], cache_url: str
) -> AsyncIterator[tuple[SendingApi, Worker, UUID, "asyncio.Task[None]"]]:
    """Yields a campaign of which a part is planned and the rest is under way."""
    served = serving_sends(
        database_url=given["CHAPPE_DATABASE_URL"], cache_url=cache_url, queue_url=given["CHAPPE_QUEUE_URL"]
    )
    async with served as api, idle_worker(given) as worker:
        await api.rows.execute(_PEOPLE, _AUDIENCE)
        campaign_id = await api.rows.campaign()
        task = asyncio.create_task(expand_campaign(worker.engine, campaign_id))
        await eventually(lambda: api.value("SELECT audience_count > 0 FROM campaigns WHERE id = $1", campaign_id), 20)
        assert not task.done()
        yield api, worker, campaign_id, task
        await task


@asynccontextmanager
async def planning(given: dict[str, str], cache_url: str) -> AsyncIterator[tuple[SendingApi, Worker, UUID]]:
    """Yields a campaign of which nothing is planned yet."""
    served = serving_sends(
        database_url=given["CHAPPE_DATABASE_URL"], cache_url=cache_url, queue_url=given["CHAPPE_QUEUE_URL"]
    )
    async with served as api, idle_worker(given) as worker:
        await api.rows.execute(_PEOPLE, _FEW)
        yield api, worker, await api.rows.campaign()


async def _stand_still_in_a_page(worker: Worker, campaign_id: UUID, *, until: Awaitable[object]) -> None:
    async with worker.engine.store.transaction() as rooms:
        assert (await rooms.expansion.expand_page(campaign_id, _FEW // 2)).inserted == _FEW // 2
        await until


async def _say(api: SendingApi, verb: str, campaign_id: UUID) -> campaigns_pb2.Campaign:
    """Calls a verb, which must be answered soon, and returns the campaign."""
    method = f"{verb}Campaign"
    request = getattr(campaigns_service_pb2, f"{method}Request")(name=f"campaigns/{campaign_id}")
    began = CLOCK.monotonic()
    reply: campaigns_pb2.Campaign = await api.call(getattr(api.campaigns, method), request)
    assert CLOCK.monotonic() - began < 3
    return reply


async def test_a_pause_holds_though_the_rest_is_still_planned(worker_settings: dict[str, str], cache_url: str) -> None:
    async with expanding(worker_settings, cache_url) as (api, _, campaign_id, task):
        paused = await _say(api, "Pause", campaign_id)
        assert not paused.HasField("expand_complete_time")
        await task
        assert await api.value("SELECT state FROM campaigns WHERE id = $1", campaign_id) == "PAUSED"
        assert await api.value(_STATES, campaign_id) == [f"PENDING {_AUDIENCE}"]


@pytest.mark.parametrize(("verb", "planned"), [("Pause", _FEW), ("Cancel", 0)])
async def test_a_worker_that_stands_still_in_a_page_holds_up_no_caller(
    worker_settings: dict[str, str], cache_url: str, verb: str, planned: int
) -> None:
    async with planning(worker_settings, cache_url) as (api, worker, campaign_id):
        with pytest.raises(Unavailable):
            await _stand_still_in_a_page(worker, campaign_id, until=_say(api, verb, campaign_id))
        await expand_campaign(worker.engine, campaign_id)
        assert await api.value("SELECT count(*) FROM messages WHERE campaign_id = $1", campaign_id) == planned
        assert await api.value("SELECT audience_count FROM campaigns WHERE id = $1", campaign_id) == planned


async def test_resumed_right_after_a_pause_it_runs_with_its_whole_audience(
    worker_settings: dict[str, str], cache_url: str
) -> None:
    async with expanding(worker_settings, cache_url) as (api, _, campaign_id, task):
        await _say(api, "Pause", campaign_id)
        await _say(api, "Resume", campaign_id)
        await task
        assert await api.value("SELECT state FROM campaigns WHERE id = $1", campaign_id) == "RUNNING"
        assert await api.value(_STATES, campaign_id) == [f"PENDING {_AUDIENCE}"]


async def test_a_cancellation_ends_the_planning_and_leaves_nothing_waiting(
    worker_settings: dict[str, str], cache_url: str
) -> None:
    async with expanding(worker_settings, cache_url) as (api, worker, campaign_id, task):
        await _say(api, "Cancel", campaign_id)
        # What sweeps may come while the last page is written.
        await cancel_messages(worker.engine, campaign_id)
        await task
        planned = await api.value("SELECT count(*) FROM messages WHERE campaign_id = $1", campaign_id)
        assert 0 < planned < _AUDIENCE
        assert await api.value(_STATES, campaign_id) == [f"CANCELLED {planned}"]
        assert await api.value("SELECT audience_count FROM campaigns WHERE id = $1", campaign_id) == planned
        assert await api.rows.fetch(MISCOUNTED) == []
