"""One call of many alike does the work of all of them, in this process."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable

from core.domain.errors import Refusal, Unavailable

# A reply, and what is still under way until others find it where it is kept.
Made = tuple[bytes, asyncio.Future[None] | None]
_Flight = asyncio.Future[bytes | Exception | None]


class Flights:
    """Knows what is being made now, by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable) -> bytes | None:
        """Returns what another call makes under this key or raises its refusal; None: nobody does, or it failed.

        Of those whose leader was cancelled the first is told that nobody does, and leads the others.
        """
        while (flight := self._flights.get(key)) is not None:
            shared = await asyncio.shield(flight)
            if isinstance(shared, Refusal) and not isinstance(shared, Unavailable):
                raise shared
            if isinstance(shared, Exception):
                return None
            if shared is not None:
                return shared
        return None

    async def lead(self, key: Hashable, make: Callable[[], Awaitable[Made]]) -> bytes:
        """Makes it, and shares it with all who join until it is made and others find it kept."""
        if key in self._flights:
            return (await make())[0]  # somebody leads already and did not help us
        flight: _Flight = asyncio.get_running_loop().create_future()
        self._flights[key] = flight
        keeping: asyncio.Future[None] | None = None
        try:
            reply, keeping = await make()
        except Exception as error:
            flight.set_result(error)
            raise
        else:
            flight.set_result(reply)
            return reply
        finally:
            if not flight.done():
                flight.set_result(None)  # cancelled: one of the others leads now
            if keeping is None:
                del self._flights[key]
            else:
                keeping.add_done_callback(lambda _: self._flights.pop(key))
