"""Any two verbs on one campaign at once, over connections of their own: they end as if one had come after the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations_with_replacement, count
from typing import Any
from uuid import UUID

import grpc
import pytest
from chappe.v1 import campaigns_service_pb2
from chappe.v1.campaigns_service_pb2_grpc import CampaignsServiceStub
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from tests.helpers.doors import details
from tests.helpers.sending_api import SendingApi, serving_sends
from tests.property.stage import MISCOUNTED

_ROUNDS = 15
_REQUESTS = count()
_LATER = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
# From where each verb leads, whereto, and what it is refused with elsewhere.
_VERBS = {
    "schedule": ({"DRAFT", "SCHEDULED"}, "SCHEDULED", "CAMPAIGN_NOT_STARTABLE"),
    "start": ({"DRAFT", "SCHEDULED"}, "RUNNING", "CAMPAIGN_NOT_STARTABLE"),
    "pause": ({"RUNNING"}, "PAUSED", "CAMPAIGN_NOT_PAUSABLE"),
    "resume": ({"PAUSED"}, "RUNNING", "CAMPAIGN_NOT_RESUMABLE"),
    "cancel": ({"DRAFT", "SCHEDULED", "RUNNING", "PAUSED"}, "CANCELLED", "CAMPAIGN_NOT_CANCELLABLE"),
    "retry": ({"RUNNING", "PAUSED", "COMPLETED"}, "", "CAMPAIGN_NOT_RETRYABLE"),
}
_PAIRS = list(combinations_with_replacement(_VERBS, 2))


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of a campaign: its state, and how many of its two messages have failed."""

    state: str
    failed_count: int

    def after(self, verb: str) -> tuple["Seen", str]:
        """Returns what a verb makes of it, and the reason of its refusal, empty for none."""
        sources, target, refusal = _VERBS[verb]
        if self.state not in sources:
            return self, refusal
        if verb != "retry":
            return replace(self, state=target), ""
        if not self.failed_count:
            return self, "NOTHING_TO_RETRY"
        return Seen("RUNNING" if self.state == "COMPLETED" else self.state, 0), ""

    def after_both(self, one: str, other: str) -> tuple["Seen", str, str]:
        """Returns what is left after one and then the other, and the reason of each refusal."""
        between, first = self.after(one)
        last, second = between.after(other)
        return last, first, second


@dataclass(frozen=True, slots=True)
class Callers:
    """The rows, and two callers with a connection each."""

    api: SendingApi
    stubs: tuple[Any, Any]

    async def call(self, caller: int, verb: str, campaign_id: UUID, request_id: str) -> str | Message:
        """Returns the reply, or the reason of a refusal."""
        method, request = self._request(self.stubs[caller], verb, campaign_id, request_id)
        try:
            reply: Message = await method(request, metadata=self.api.metadata, timeout=20)
        except grpc.aio.AioRpcError as refused:
            return str(details(refused)["ErrorInfo"].reason)
        return reply

    async def look(self, campaign_id: UUID) -> Seen:
        """Reads the rows."""
        state = await self.api.value("SELECT state FROM campaigns WHERE id = $1", campaign_id)
        failed = "SELECT count(*) FROM messages WHERE campaign_id = $1 AND state = 'FAILED'"
        return Seen(state, await self.api.value(failed, campaign_id))

    def _request(self, stub: Any, verb: str, campaign_id: UUID, request_id: str) -> tuple[Any, Message]:
        named = {"name": f"campaigns/{campaign_id}", "request_id": request_id}
        if verb == "schedule":
            later = Timestamp(seconds=_LATER)
            return stub.StartCampaign, campaigns_service_pb2.StartCampaignRequest(**named, schedule_time=later)
        method = "RetryFailedMessages" if verb == "retry" else f"{verb.capitalize()}Campaign"
        return getattr(stub, method), getattr(campaigns_service_pb2, f"{method}Request")(**named)


@pytest.fixture
async def callers(fresh_database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[Callers]:
    served = serving_sends(database_url=fresh_database_url, cache_url=cache_url, queue_url=queue_url)
    alone = [("grpc.use_local_subchannel_pool", 1)]
    async with served as api, AsyncExitStack() as stack:
        channels = [grpc.aio.insecure_channel(api.address, options=alone) for _ in range(2)]
        first, second = [CampaignsServiceStub(await stack.enter_async_context(one)) for one in channels]
        yield Callers(api, (first, second))


async def campaign(api: SendingApi, state: str) -> UUID:
    campaign_id = await api.rows.campaign(state=state)
    await api.rows.messages(campaign_id, "FAILED", "FAILED", error_code=131000)
    return campaign_id


@pytest.mark.parametrize("state", ["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "COMPLETED", "CANCELLED"])
async def test_any_two_verbs_at_once_end_as_if_one_had_come_after_the_other(callers: Callers, state: str) -> None:
    before = Seen(state, 2)
    for one, other in _PAIRS * _ROUNDS:
        campaign_id = await campaign(callers.api, state)
        replies = await asyncio.gather(
            callers.call(0, one, campaign_id, f"request-{next(_REQUESTS)}"),
            callers.call(1, other, campaign_id, f"request-{next(_REQUESTS)}"),
        )
        reasons = [reply if isinstance(reply, str) else "" for reply in replies]
        backwards = before.after_both(other, one)
        legal = [before.after_both(one, other), (backwards[0], backwards[2], backwards[1])]
        found = (await callers.look(campaign_id), *reasons)
        assert found in legal, (one, other)
        done = await callers.api.value("SELECT count(*) FROM audit_events WHERE resource_name = $1", _name(campaign_id))
        assert done == reasons.count("")
    assert await callers.api.rows.fetch(MISCOUNTED) == []


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        ("schedule", "DRAFT"),
        ("start", "SCHEDULED"),
        ("pause", "RUNNING"),
        ("resume", "PAUSED"),
        ("cancel", "RUNNING"),
        ("retry", "COMPLETED"),
    ],
)
async def test_one_request_sent_twice_at_once_is_done_once_and_answered_alike(
    callers: Callers, verb: str, state: str
) -> None:
    for _ in range(10):
        campaign_id, request_id = await campaign(callers.api, state), f"request-{next(_REQUESTS)}"
        first, second = await asyncio.gather(*(callers.call(n, verb, campaign_id, request_id) for n in range(2)))
        assert first == second
        assert not isinstance(first, str)
        done = await callers.api.value("SELECT count(*) FROM audit_events WHERE resource_name = $1", _name(campaign_id))
        assert done == 1


def _name(campaign_id: UUID) -> str:
    return f"campaigns/{campaign_id}"
