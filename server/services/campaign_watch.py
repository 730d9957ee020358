"""WatchCampaign: follows a campaign by reading it twice a second; what did not change is not sent."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from chappe.v1 import campaigns_service_pb2
from google.protobuf.duration_pb2 import Duration

from core.clock import Clock
from core.domain.time_series import Milestone
from core.domain.waiting import remaining_seconds, waiting_reason
from core.pace import Lane, Pace
from core.repositories.rooms import Rooms, Store
from server.wire import campaigns as wire
from server.wire import stats as stats_wire

INTERVAL_SECONDS = 0.5
_SILENCE_SECONDS = 15.0
_RATE_SECONDS = 5.0
_LEAST_LOOKS = 2
# Long enough for the seconds that are looked at, and for a database whose clock is not quite ours.
_MINUTES = timedelta(minutes=2)


class Rate:
    """Works out how many messages were accepted a second over the last seconds.

    From counts by the minute of acceptance: what was accepted before and fails now would take from how many are.
    """

    def __init__(self) -> None:
        self._looks: deque[tuple[float, Mapping[datetime, int]]] = deque()

    def note(self, *, now: float, accepted: Mapping[datetime, int]) -> float:
        """Takes how many were accepted in each of the last minutes, as of `now` in seconds.

        Returns the messages a second since the oldest look it kept.
        """
        self._looks.append((now, accepted))
        while now - self._looks[0][0] > _RATE_SECONDS and len(self._looks) > _LEAST_LOOKS:
            self._looks.popleft()
        began, before = self._looks[0]
        # What is put back within its minute is taken out of it again.
        grown = max(0, sum(count - before.get(minute, 0) for minute, count in accepted.items()))
        return grown / (now - began) if now > began else 0.0


async def watch_campaign(
    *, store: Store, clock: Clock, pace: Pace, campaign_id: UUID, interval_seconds: float = INTERVAL_SECONDS
) -> AsyncIterator[campaigns_service_pb2.WatchCampaignResponse]:
    """Yields how a campaign goes: at once, on a change, after fifteen seconds without one; ends when it is over."""
    rate = Rate()
    shown, shown_at = b"", clock.monotonic()
    while True:
        async with store.connection() as rooms:
            seen = await _look(rooms, clock, pace, rate, campaign_id)
        now, essence = clock.monotonic(), _essence(seen)
        if essence != shown or now - shown_at >= _SILENCE_SECONDS:
            yield seen
            shown, shown_at = essence, now
        if wire.is_final(seen.campaign):
            return
        await asyncio.sleep(interval_seconds)  # noqa: TID251  # rows ring no bell for those who read them


async def _look(
    rooms: Rooms, clock: Clock, pace: Pace, rate: Rate, campaign_id: UUID
) -> campaigns_service_pb2.WatchCampaignResponse:
    campaign = await rooms.campaigns.get_campaign(campaign_id)
    stats = stats_wire.campaign_stats(await rooms.stats.get_campaign_stats(campaign_id, at=clock.now()))
    per_second = rate.note(now=clock.monotonic(), accepted=await _accepted(rooms, campaign_id, at=clock.now()))
    backlog = await rooms.backlogs.get_backlog(campaign_id, at=clock.now())
    is_throttled = backlog.has_due and await pace.is_slowed(
        Lane.of_sender(campaign.sender_id, backlog.bound_per_second)
    )
    reason = waiting_reason(backlog, per_second=per_second, is_throttled=is_throttled)
    remaining = remaining_seconds(
        backlog, reason=reason, waiting_count=stats.counts.waiting_count, per_second=per_second
    )
    return campaigns_service_pb2.WatchCampaignResponse(
        campaign=wire.campaign(campaign),
        stats=stats,
        accepted_per_second=per_second,
        remaining_duration=None if remaining is None else Duration(seconds=round(remaining)),
        waiting_reason=reason,
    )


async def _accepted(rooms: Rooms, campaign_id: UUID, *, at: datetime) -> dict[datetime, int]:
    rows = await rooms.stats.list_minutes(campaign_id, start=at - _MINUTES, end=at + _MINUTES)
    return {row["start_time"]: row["count"] for row in rows if row["milestone"] == Milestone.ACCEPTED}


def _essence(seen: campaigns_service_pb2.WatchCampaignResponse) -> bytes:
    """Returns what makes two looks differ for a reader: all but the moment at which the numbers were read."""
    bare = campaigns_service_pb2.WatchCampaignResponse()
    bare.CopyFrom(seen)
    bare.stats.ClearField("snapshot_time")
    return bare.SerializeToString(deterministic=True)
