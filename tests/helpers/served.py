"""The whole server behind a real door on a real database, and a caller who has a key to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from core.clock import SystemClock
from core.db import Database
from core.repositories.rooms import Store
from core.settings import Settings
from server.assembly import assembled
from server.keys import create_key
from tests.helpers.doors import details

HASH_KEY = "a key of the tests"
# A busy machine takes its time: what a cache answers is what is looked at, not how one does without.
_USUAL: dict[str, Any] = {"cache_enabled": False, "cache_timeout_seconds": 2, "hash_key": HASH_KEY}
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Services by their stubs, each a field of a subclass, and the metadata of who calls them."""

    metadata: Metadata

    async def call(self, method: Any, request: Message) -> Any:
        """Calls and returns the reply."""
        return await method(request, metadata=self.metadata, timeout=30)

    async def refusal(self, method: Any, request: Message) -> str:
        """Calls, expects a refusal and returns its reason."""
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await self.call(method, request)
        return reason_of(refused.value)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Returns the reason of a refusal."""
    return str(details(error)["ErrorInfo"].reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where the server is, a key to it as metadata, and the database behind it."""

    channel: grpc.aio.Channel
    address: str
    metadata: Metadata
    database: Database


@asynccontextmanager
async def serving_to(role: str, **settings: Any) -> AsyncIterator[Served]:
    """Serves on a free port for a caller of that role; replies are cached only where the settings say so."""
    used = Settings(grpc_port=0, **{**_USUAL, **settings})
    async with (
        Database(url=used.database_url, pool_size=2) as database,
        assembled(settings=used, clock=SystemClock()) as door,
    ):
        key = await create_key(Store(database), role=role)
        address = f"127.0.0.1:{await door.open()}"
        async with grpc.aio.insecure_channel(address) as channel:
            metadata = (("authorization", f"Bearer {key}"),)
            yield Served(channel=channel, address=address, metadata=metadata, database=database)
        await door.close()
