"""One call of many alike does the work of all of them, in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from core.domain.errors import Refusal, Unavailable

_Flight = asyncio.Future[bytes | Refusal | None]


class Flights:
    """Knows what is being made now, by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable) -> bytes | None:
        """Returns what another call makes under this key or raises its refusal; None: nobody does, or in vain."""
        flight = self._flights.get(key)
        if flight is None:
            return None
        shared = await asyncio.shield(flight)
        if isinstance(shared, Refusal):
            raise shared
        return shared

    async def lead(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Makes it, and shares it with all who join until it is made."""
        if key in self._flights:
            return await make()  # somebody leads already and did not help us
        flight: _Flight = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        try:
            reply = await make()
        except Refusal as refusal:
            flight.set_result(None if isinstance(refusal, Unavailable) else refusal)
            raise
        else:
            flight.set_result(reply)
            return reply
        finally:
            del self._flights[key]
            if not flight.done():
                flight.set_result(None)  # cancelled or broken: the others go on by themselves
