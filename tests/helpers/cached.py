"""Small services behind the cache, with a truth that a test can change behind its back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from chappe.v1 import (
    campaigns_pb2,
    campaigns_service_pb2,
    campaigns_service_pb2_grpc,
    categories_pb2,
    categories_pb2_grpc,
    stats_pb2,
    stats_service_pb2,
    stats_service_pb2_grpc,
)

from core.cache import Cache
from server.call import Call, mark_final, note_outdated
from server.interceptors.base import Chain, Interceptor, Proceed
from server.interceptors.cache import Caching
from server.interceptors.errors import Errors
from server.interceptors.validation import Validation
from server.policies import read_policies
from tests.helpers.doors import Around, Context, Reply, call, listening

Category = categories_pb2.Category
ONE, TWO = (f"0197f9a0-0000-7000-8000-00000000000{n}" for n in (1, 2))
NAME, CAMPAIGN = f"categories/{ONE}", f"campaigns/{ONE}"
CATEGORIES, STATS = "/chappe.v1.CategoriesService", "/chappe.v1.StatsService"


@dataclass
class Truth:
    """What the services read and change, in place of a database."""

    display_name: str = "first"
    reads: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    broken: Exception | None = None
    final: bool = False
    also_changed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.gate.set()

    async def read(self) -> str:
        self.reads += 1
        seen = self.display_name
        self.reading.set()
        await self.gate.wait()
        if self.broken is not None:
            raise self.broken
        return seen


class Categories(categories_pb2_grpc.CategoriesServiceServicer):
    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    async def GetCategory(self, request: categories_pb2.GetCategoryRequest, _context: Context) -> Category:  # noqa: N802  # named by the contract
        return Category(name=request.name, display_name=await self._truth.read())

    async def UpdateCategory(self, request: categories_pb2.UpdateCategoryRequest, _context: Context) -> Category:  # noqa: N802  # named by the contract
        self._truth.display_name = request.category.display_name
        if self._truth.broken is not None:
            raise self._truth.broken
        note_outdated(self._truth.also_changed)
        return request.category


class Campaigns(campaigns_service_pb2_grpc.CampaignsServiceServicer):
    async def PauseCampaign(  # noqa: N802  # named by the contract
        self, request: campaigns_service_pb2.PauseCampaignRequest, _context: Context
    ) -> campaigns_pb2.Campaign:
        return campaigns_pb2.Campaign(name=request.name)


class Stats(stats_service_pb2_grpc.StatsServiceServicer):
    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    async def GetCampaignStats(  # noqa: N802  # named by the contract
        self, request: stats_service_pb2.GetCampaignStatsRequest, _context: Context
    ) -> stats_pb2.CampaignStats:
        await self._truth.read()
        if self._truth.final:
            mark_final()
        return stats_pb2.CampaignStats(name=request.name, final=self._truth.final)


@asynccontextmanager
async def process(cache: Cache, truth: Truth, *, settles: bool = True) -> AsyncIterator[grpc.aio.Channel]:
    """Runs what one server process does between its callers, the cache and the truth.

    Replies leave it once they are kept, so that a test can say what is found next; otherwise as they always do.
    """

    async def settled(_: Call, proceed: Proceed) -> bytes:
        try:
            return await proceed()
        finally:
            if settles:
                await cache.settle()

    files = (categories_pb2, campaigns_service_pb2, stats_service_pb2)
    policies = read_policies([service for file in files for service in file.DESCRIPTOR.services_by_name.values()])
    chain: list[Interceptor] = [Around(settled), Errors(), Caching(cache=cache, max_reply_bytes=1000), Validation()]
    guarded: Any = Chain(chain, policies=policies)
    categories_pb2_grpc.add_CategoriesServiceServicer_to_server(Categories(truth), guarded)
    campaigns_service_pb2_grpc.add_CampaignsServiceServicer_to_server(Campaigns(), guarded)
    stats_service_pb2_grpc.add_StatsServiceServicer_to_server(Stats(truth), guarded)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((guarded,))
    async with listening(server) as channel:
        yield channel


async def get(channel: grpc.aio.Channel, **metadata: str) -> tuple[Reply, str]:
    """Reads the category; returns it and how the cache answered."""
    request = categories_pb2.GetCategoryRequest(name=NAME)
    pairs = [(name.replace("_", "-"), value) for name, value in metadata.items()]
    reply, trailing = await call(channel, f"{CATEGORIES}/GetCategory", request, Category, metadata=pairs)
    return reply, trailing["chappe-cache"]


async def rename(channel: grpc.aio.Channel, display_name: str) -> str:
    """Changes the category; returns the generations the caller is told."""
    request = categories_pb2.UpdateCategoryRequest(category=Category(name=NAME, display_name=display_name))
    _, trailing = await call(channel, f"{CATEGORIES}/UpdateCategory", request, Category)
    return str(trailing.get("chappe-generations", ""))


async def stats(channel: grpc.aio.Channel, campaign: str = ONE) -> str:
    request = stats_service_pb2.GetCampaignStatsRequest(name=f"campaigns/{campaign}/stats")
    _, trailing = await call(channel, f"{STATS}/GetCampaignStats", request, stats_pb2.CampaignStats)
    return str(trailing["chappe-cache"])
