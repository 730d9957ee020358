"""The second level: replies in Redis, under keys that hold the generations they were read under.

Old keys are never deleted, only never asked for again. Whoever is to make a reply holds a lease, so that the processes
that look meanwhile can wait a little instead of making the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.cache.keys import NOTHING, Entry, generation_keys
from core.cache.scripts import FILL, LOOK, UNCHECKED_FILL
from core.cache.server import Server

_LEASE_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Holds what a look found: a kept reply or none, and the generations that stood then.

    Not ``is_usable``: the cache is away. ``is_ours``: the looker is to make the reply anew. ``ask_time`` is when the
    look began, in monotonic seconds; ``server_time`` when the server answered it, in milliseconds of its own clock.
    """

    stamp: str = ""
    numbers: Mapping[str, int] = field(default_factory=dict)
    reply: bytes | None = None
    seconds_left: float = 0.0
    is_usable: bool = False
    is_ours: bool = False
    ask_time: float = 0.0
    server_time: int = 0

    @property
    def is_made_elsewhere(self) -> bool:
        """Whether another process is making the reply now."""
        return self.is_usable and self.reply is None and not self.is_ours


AWAY = Found()


class Replies:
    """Looks for kept replies in Redis and keeps new ones there."""

    def __init__(self, *, server: Server, are_fills_checked: bool = True) -> None:
        """Takes the way to Redis; not to check fills is for control runs, which show what the check is good for."""
        self._server = server
        self._look = server.script(LOOK)
        self._fill = server.script(FILL if are_fills_checked else UNCHECKED_FILL)

    async def look(self, entry: Entry, *, renew_below_seconds: float, within_seconds: float) -> Found:
        """Looks for a reply; leases its making to the looker when there is none, or when it ends that soon.

        What is not answered within those seconds, if the server's own time is longer, is not waited for.
        """
        answer = await self._server.run(
            self._look,
            keys=generation_keys(entry.collections),
            args=[entry.key, entry.lease, round(renew_below_seconds * 1000), _LEASE_MS, NOTHING],
            within_seconds=within_seconds,
        )
        return AWAY if answer is None else _found(entry, answer)

    async def fill(self, entry: Entry, found: Found, *, reply: bytes, ttl_seconds: float) -> bool:
        """Keeps a reply read after that look, so long from the look on, and ends the lease.

        Returns whether it is kept: what was found still stood, and the end was still to come.
        """
        end_time = found.server_time + int(ttl_seconds * 1000)
        args: list[str | bytes | int] = [entry.key, entry.lease, found.stamp, reply, end_time]
        return await self._server.run(self._fill, keys=generation_keys(entry.collections), args=args) == [1]

    async def release(self, entry: Entry, found: Found) -> None:
        """Ends the lease without a reply."""
        await self._server.delete(f"{entry.lease}:{found.stamp}")


def _found(entry: Entry, answer: list[object]) -> Found:
    stamp, reply, milliseconds, is_ours, microseconds = answer
    assert isinstance(stamp, bytes)  # noqa: S101 - what our own script returns
    assert isinstance(microseconds, bytes)  # noqa: S101 - the same
    numbers = [int(number) for number in stamp.split(b".")] if stamp else []
    return Found(
        stamp=stamp.decode(),
        numbers=dict(zip(entry.collections, numbers, strict=True)),
        reply=reply if isinstance(reply, bytes) else None,
        seconds_left=float(str(milliseconds)) / 1000,
        is_usable=True,
        is_ours=bool(is_ours),
        server_time=int(microseconds) // 1000,
    )
