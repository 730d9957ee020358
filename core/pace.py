"""The sending pace, shared by all workers: slots are reserved in blocks on the Redis server's own clock."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from core.breaker import Breaker
from core.clock import Clock
from core.domain.pacing import HORIZON_SECONDS, STEADY_SHARE, Permits, Tempo
from core.leaving import leave
from core.pace_scripts import HOLD, PAIRS, RESERVE, RETURN, SLOWED, THROTTLE

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 0.25
# Redis is asked again this long after it last failed to answer.
_RETRY_SECONDS = 1.0
# Without Redis nobody knows what the others send: half the pace is what one worker may take for itself.
LOCAL_SHARE = 0.5
_PAIR_MICROSECONDS = 6_000_000
_PAIR_BURST = 45


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Something that has a pace of its own: a sender or a campaign."""

    key: str
    per_second: float

    @classmethod
    def of_sender(cls, sender_id: UUID, per_second: float) -> "Lane":
        """Returns the lane of one of our numbers, which may send `per_second`."""
        return cls(key=f"pace:sender:{sender_id.hex}", per_second=per_second * STEADY_SHARE)

    @classmethod
    def of_campaign(cls, campaign_id: UUID, per_second: float) -> "Lane":
        """Returns the lane of a campaign that has a pace of its own."""
        return cls(key=f"pace:campaign:{campaign_id.hex}", per_second=per_second * STEADY_SHARE)


class Pace:
    """Hands out moments to send at; goes on alone, and more slowly, while Redis is away."""

    def __init__(self, *, redis: Redis, clock: Clock) -> None:
        """Takes a client whose calls end soon; see `connect`."""
        self._clock = clock
        self._redis = redis
        self._reserve = redis.register_script(RESERVE)
        self._return = redis.register_script(RETURN)
        self._throttle = redis.register_script(THROTTLE)
        self._hold = redis.register_script(HOLD)
        self._slowed = redis.register_script(SLOWED)
        self._pairs = redis.register_script(PAIRS)
        self._breaker = Breaker(clock=clock, failures=1, rest_seconds=_RETRY_SECONDS)
        self._tempos: dict[str, Tempo] = {}

    @classmethod
    def connect(cls, url: str, *, clock: Clock) -> "Pace":
        """Returns the pace kept at a URL; nothing is asked before the first reservation."""
        redis = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        return cls(redis=redis, clock=clock)

    @property
    def alone(self) -> bool:
        """Whether Redis was away when last asked."""
        return self._breaker.is_open

    async def reserve(self, lane: Lane, count: int, *, within: float = HORIZON_SECONDS) -> Permits:
        """Reserves at most `count` moments of the next `within` seconds; none when they are all taken."""
        reply = await self._ask(self._reserve, [lane.key], [lane.per_second, count, int(within * 1e6)])
        if reply is None:
            return self._tempo(lane).reserve(
                now=self._clock.monotonic(), per_second=lane.per_second * LOCAL_SHARE, count=count, within=within
            )
        granted, before, interval, end, wait = (float(part) for part in reply)
        # The way back of the answer can only make a slot later than Redis meant, never earlier.
        now = self._clock.monotonic()
        start, spacing = now + before / 1e6, interval / 1e6
        return Permits(count=int(granted), start=start, interval=spacing, wait=wait / 1e6, end=int(end))

    async def give_back(self, lane: Lane, permits: Permits, unused: int) -> None:
        """Returns the last `unused` moments of a reservation, unless others have reserved behind it."""
        if unused <= 0:
            return
        if permits.end == 0:
            self._tempo(lane).give_back(permits, unused)
            return
        await self._ask(self._return, [lane.key], [permits.end, unused, permits.interval * 1e6])

    async def throttle(self, lane: Lane) -> None:
        """Slows a lane down because WhatsApp said that it was too fast."""
        self._tempo(lane).throttle(now=self._clock.monotonic())
        await self._ask(self._throttle, [lane.key], [])

    async def hold(self, lane: Lane, seconds: float) -> None:
        """Lets nothing of a lane leave for so long, because WhatsApp said when it takes calls again."""
        self._tempo(lane).hold(now=self._clock.monotonic(), seconds=seconds)
        await self._ask(self._hold, [lane.key], [int(seconds * 1e6)])

    async def is_slowed(self, lane: Lane) -> bool:
        """Tells whether a lane is slower than it could be because WhatsApp said so; without Redis nobody knows."""
        reply = await self._ask(self._slowed, [lane.key], [])
        return bool(reply and int(reply[0]))

    async def wait_for_pairs(self, *, sender_id: UUID, contact_ids: Sequence[UUID]) -> tuple[float, ...]:
        """Returns for each contact the seconds it must wait; 0 charges it. Without Redis WhatsApp itself will tell."""
        if not contact_ids:
            return ()
        keys = [f"pace:pair:{{{sender_id.hex}}}:{contact_id.hex}" for contact_id in contact_ids]
        reply = await self._ask(self._pairs, keys, [_PAIR_MICROSECONDS, _PAIR_BURST])
        return tuple(0.0 for _ in keys) if reply is None else tuple(float(wait) / 1000 for wait in reply)

    async def close(self) -> None:
        """Closes the connections."""
        await leave(self._redis.aclose())

    async def _ask(self, script: AsyncScript, keys: list[str], arguments: list[Any]) -> list[Any] | None:
        # One finds out whether it is back, which may take its patience; the others go on alone meanwhile.
        if not self._breaker.allows():
            return None
        asked_at = self._clock.monotonic()
        try:
            reply = await script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("the pace goes on without Redis", extra={"error": type(error).__name__})
            self._breaker.failed(asked_at=asked_at)
            return None
        self._breaker.worked()
        return reply if isinstance(reply, list) else [reply]

    def _tempo(self, lane: Lane) -> Tempo:
        return self._tempos.setdefault(lane.key, Tempo())
