"""Leaving a Redis server, whatever has become of it."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

_LEAVE_SECONDS = 1.0


async def leave(client: Redis) -> None:
    """Closes the client's connections; never fails, and one that does not close within a second is given up."""
    # A connection is only closed once the server has taken all that was written to it, which may be never.
    with suppress(RedisError, OSError):
        async with asyncio.timeout(_LEAVE_SECONDS):
            await client.aclose()
