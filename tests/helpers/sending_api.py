"""What callers do to messages, as they see it: a real door on a real database with rows in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chappe.v1 import campaigns_service_pb2_grpc, messages_service_pb2_grpc

from tests.helpers.reads_api import Rows, some_rows
from tests.helpers.served import Api, serving_to


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingApi(Api):
    """Two services, with a key of an operator, the rows behind them, and where they are served."""

    campaigns: Any
    messages: Any
    rows: Rows
    address: str

    async def value(self, query: str, *arguments: object) -> Any:
        """Returns the only value of a query."""
        (row,) = await self.rows.fetch(query, *arguments)
        (value,) = row.values()
        return value


@asynccontextmanager
async def serving_sends(**settings: Any) -> AsyncIterator[SendingApi]:
    """Serves on a free port and yields the services."""
    async with serving_to("OPERATOR", **settings) as at, some_rows(at.database) as rows:
        yield SendingApi(
            metadata=at.metadata,
            campaigns=campaigns_service_pb2_grpc.CampaignsServiceStub(at.channel),
            messages=messages_service_pb2_grpc.MessagesServiceStub(at.channel),
            rows=rows,
            address=at.address,
        )
