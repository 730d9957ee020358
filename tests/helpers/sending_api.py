"""What callers do to messages, as they see it: a real door on a real database with rows in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from chappe.v1 import campaigns_service_pb2_grpc, messages_service_pb2_grpc
from google.protobuf.message import Message

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import assembled
from server.keys import create_key
from tests.helpers.doors import details
from tests.helpers.reads_api import Rows, some_rows


@dataclass(frozen=True, slots=True)
class SendingApi:
    """Two services by their stubs, with a key of an operator, the rows behind them, and where they are served."""

    campaigns: Any
    messages: Any
    metadata: tuple[tuple[str, str], ...]
    rows: Rows
    address: str

    async def call(self, method: Any, request: Message) -> Any:
        """Calls and returns the reply."""
        return await method(request, metadata=self.metadata, timeout=30)

    async def refusal(self, method: Any, request: Message) -> str:
        """Calls, expects a refusal and returns its reason."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.call(method, request)
        return str(details(refused.value)["ErrorInfo"].reason)

    async def value(self, query: str, *arguments: object) -> Any:
        """Returns the only value of a query."""
        (row,) = await self.rows.fetch(query, *arguments)
        (value,) = row.values()
        return value


@asynccontextmanager
async def serving_sends(*, database_url: str, cache_url: str, queue_url: str) -> AsyncIterator[SendingApi]:
    """Serves on a free port and yields the services."""
    settings = Settings(
        database_url=database_url, cache_url=cache_url, queue_url=queue_url, grpc_port=0, cache_enabled=False,
        hash_key="a key of the tests",
    )  # fmt: skip
    async with (
        Database(url=database_url, pool_size=2) as own,
        assembled(settings=settings, clock=SystemClock()) as door,
    ):
        key = await create_key(Store(own), role="OPERATOR")
        port = await door.open()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, some_rows(own) as rows:
            yield SendingApi(
                campaigns_service_pb2_grpc.CampaignsServiceStub(channel),
                messages_service_pb2_grpc.MessagesServiceStub(channel),
                (("authorization", f"Bearer {key}"),),
                rows,
                f"127.0.0.1:{port}",
            )
        await door.close()
