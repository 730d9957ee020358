"""The reads that people make most, with the time each may take; and how one is made many times, one after another."""

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import grpc
from chappe.v1 import (
    campaigns_service_pb2,
    categories_pb2,
    contacts_service_pb2,
    messages_service_pb2,
    stats_service_pb2,
)
from google.protobuf.message import Message

from core.clock import SystemClock

CLOCK = SystemClock()
_CHAPPE: Final = "/chappe.v1."
_WARM_UP: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Is one call and the milliseconds within which 99 of 100 must be answered."""

    name: str
    method: str
    request: bytes
    most_ms: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Says how long calls took, in milliseconds."""

    p50: float
    p99: float


async def reads_of(database_url: str) -> list[Read]:
    """Names the reads with the ids of the largest campaign and of the largest category."""
    connection = await asyncpg.connect(database_url)
    try:
        campaign = await connection.fetchval("SELECT id FROM campaigns ORDER BY audience_count DESC, id LIMIT 1")
        category = await connection.fetchval("SELECT id FROM categories ORDER BY contact_count DESC LIMIT 1")
    finally:
        await connection.close()
    return reads_on(f"campaigns/{campaign}", f"categories/{category}")


def reads_on(campaign: str, category: str) -> list[Read]:
    """Names the reads of a campaign and a category, and those of all."""
    contacts = contacts_service_pb2.ListContactsRequest
    by_prefix = contacts(filter=contacts_service_pb2.ContactFilter(phone_number_prefix="+331"))
    combined = contacts_service_pb2.ContactFilter(
        category=category, marketing_consent="MARKETING_CONSENT_OPTED_IN", phone_number_prefix="+49"  # type: ignore[arg-type]  # a name is a value
    )  # fmt: skip
    return [
        read_of("message stats", "StatsService/GetMessageStats", stats_service_pb2.GetMessageStatsRequest()),
        read_of("categories", "CategoriesService/ListCategories", categories_pb2.ListCategoriesRequest()),
        read_of("category", "CategoriesService/GetCategory", categories_pb2.GetCategoryRequest(name=category)),
        read_of("contacts", "ContactsService/ListContacts", contacts(page_size=50), 30),
        read_of("contacts by prefix", "ContactsService/ListContacts", by_prefix, 30),
        read_of("contacts by three filters", "ContactsService/ListContacts", contacts(filter=combined), 30),
        read_of("campaigns", "CampaignsService/ListCampaigns", campaigns_service_pb2.ListCampaignsRequest()),
        read_of("campaign", "CampaignsService/GetCampaign", campaigns_service_pb2.GetCampaignRequest(name=campaign)),
        read_of(
            "campaign stats",
            "StatsService/GetCampaignStats",
            stats_service_pb2.GetCampaignStatsRequest(name=f"{campaign}/stats"),
        ),
        read_of("dashboard", "StatsService/GetDashboard", stats_service_pb2.GetDashboardRequest()),
        read_of(
            "messages of a campaign",
            "MessagesService/ListMessages",
            messages_service_pb2.ListMessagesRequest(parent=campaign),
        ),
        read_of(
            "failed messages of a campaign",
            "MessagesService/ListMessages",
            messages_service_pb2.ListMessagesRequest(parent=campaign, state="STATE_FAILED"),  # type: ignore[arg-type]  # a name is a value
        ),
    ]


def messages_page(read: Read, size: int) -> Read:
    """Returns the same list of messages by pages of that size."""
    request = messages_service_pb2.ListMessagesRequest.FromString(read.request)
    request.page_size = size
    return read_of(f"{read.name}, {size}", "MessagesService/ListMessages", request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Is a method and the requests to make of it, one after another; the first so many are not counted."""

    method: str
    requests: Sequence[bytes]
    key: str
    cached: bool = True
    warm_up: int = 0


def latency(read: Read, port: int, key: str, *, calls: int, cached: bool = True) -> Latency:
    """Makes the call that often, after a few that are not counted; raises when one fails."""
    return timed(often(read, key, calls=calls, cached=cached), port)


def often(read: Read, key: str, *, calls: int, cached: bool = True) -> Calls:
    """Returns the call that often, after a few that are not counted."""
    requests = [read.request] * (calls + _WARM_UP)
    return Calls(method=read.method, requests=requests, key=key, cached=cached, warm_up=_WARM_UP)


def timed(calls: Calls, port: int) -> Latency:
    """Makes the calls and says how long they took; raises when one fails."""
    with _asking(calls, port) as ask:
        return summed([ask(request) for request in calls.requests][calls.warm_up :])


def timed_in_turns(calls: Calls, others: Calls, ports: tuple[int, int]) -> tuple[Latency, Latency]:
    """Makes as many calls of either, in turn one on each port: what the machine does beside, it does to both."""
    with _asking(calls, ports[0]) as ask, _asking(others, ports[1]) as ask_other:
        pairs = [(ask(one), ask_other(other)) for one, other in zip(calls.requests, others.requests, strict=True)]
    one, other = zip(*pairs[calls.warm_up :], strict=True)
    return summed(one), summed(other)


@contextmanager
def _asking(calls: Calls, port: int) -> Iterator[Callable[[bytes], float]]:
    """Yields what makes one call and returns the seconds it took; raises when the call fails."""
    metadata = [("authorization", f"Bearer {calls.key}"), *([] if calls.cached else [("cache-control", "no-cache")])]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call: Any = channel.unary_unary(calls.method)

        def ask(request: bytes) -> float:
            begun = CLOCK.monotonic()
            call(request, metadata=metadata, timeout=10)
            return CLOCK.monotonic() - begun

        yield ask


def summed(seconds: Sequence[float]) -> Latency:
    """Returns the middle and the slowest hundredth."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return Latency(p50=cuts[49] * 1000, p99=cuts[98] * 1000)


def zipf(count: int, *, exponent: float, seed: int) -> "tuple[random.Random, list[float]]":
    """Returns a source of luck and the weights of that many things, the first the likeliest."""
    return random.Random(seed), [1 / (place + 1) ** exponent for place in range(count)]


def read_of(name: str, path: str, request: Message, most_ms: float = 20.0) -> Read:
    """Names a call of a method, `Service/Method`."""
    return Read(name=name, method=_CHAPPE + path, request=request.SerializeToString(), most_ms=most_ms)
