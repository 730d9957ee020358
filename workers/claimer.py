"""Takes the next batch for one sender: slots of its pace, filled with due messages of its campaigns in fair turns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.outcomes import Claimed, NotSent, settle
from core.domain.pacing import Permits
from core.pace import Lane
from core.repositories.sending import BOTTOM, Floor, RunningCampaign
from workers.courier import Parcel
from workers.engine import Engine
from workers.settler import Settler

# A batch is this long at the sender's pace: with one on the wire and one waiting, less than half a second is planned.
_BATCH_SECONDS = 0.2
_MAX_BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    campaign: RunningCampaign
    claimed: Claimed
    deadline: float


class Claimer:
    """Fills one sender's slots; remembers, per campaign, how far it has claimed."""

    def __init__(self, *, engine: Engine, sender_id: UUID, lane: Lane, settler: Settler) -> None:
        self._engine = engine
        self._sender_id = sender_id
        self._lane = lane
        self._settler = settler
        self._floors: dict[UUID, Floor] = {}
        self._turn = 0
        self.interval = 1.0 / lane.per_second
        self.waiting = 0.0

    async def next_batch(self) -> Sequence[Parcel]:
        """Claims what fits the pace now; empty when nothing is due or, for `waiting` seconds, the pace is used up."""
        self.waiting = 0.0
        async with self._engine.store.connection() as rooms:
            campaigns = await rooms.sending.list_running_campaigns(self._sender_id)
        if not campaigns:
            return ()
        wanted = max(1, min(_MAX_BATCH, math.ceil(self._lane.per_second * _BATCH_SECONDS)))
        permits = await self._engine.pace.reserve(self._lane, wanted)
        if permits.count == 0:
            self.waiting = max(0.01, min(permits.wait, 1.0))
            return ()
        self.interval = permits.interval
        taken = await self._fill(self._in_turn(campaigns), permits.count)
        await self._engine.pace.give_back(self._lane, permits, permits.count - len(taken))
        return await self._parcels(taken, permits)

    def _in_turn(self, campaigns: Sequence[RunningCampaign]) -> list[RunningCampaign]:
        """DIRECT first; the others begin with another one each time, so that a remainder favours none."""
        direct = [campaign for campaign in campaigns if campaign.direct]
        bulk = [campaign for campaign in campaigns if not campaign.direct]
        self._turn += 1
        start = self._turn % len(bulk) if bulk else 0
        return direct + bulk[start:] + bulk[:start]

    async def _fill(self, campaigns: Sequence[RunningCampaign], count: int) -> list[_Taken]:
        taken: list[_Taken] = []
        hungry = list(campaigns)
        while hungry and len(taken) < count:
            still_hungry = []
            for position, campaign in enumerate(hungry):
                room = count - len(taken)
                share = room if campaign.direct else math.ceil(room / (len(hungry) - position))
                if share <= 0:
                    break
                try:
                    got = await self._claim(campaign, share)
                except Exception:
                    if not taken:
                        raise
                    # What is claimed already must be sent, or it would fall into doubt.
                    return taken
                taken += got
                if len(got) == share and not campaign.direct:
                    still_hungry.append(campaign)
            hungry = still_hungry
        return taken

    async def _claim(self, campaign: RunningCampaign, limit: int) -> list[_Taken]:
        lane, permits = await self._reserve_own(campaign, limit)
        own = limit if permits is None else permits.count
        if own == 0:
            return []
        deadline = self._engine.clock.monotonic() + self._engine.settings.lease_seconds
        floor = self._floors.get(campaign.id, BOTTOM)
        async with self._engine.store.connection() as rooms:
            claim = await rooms.sending.claim_messages(
                campaign_id=campaign.id, limit=own, lease_seconds=self._engine.settings.lease_seconds, floor=floor
            )
            if claim.count < own and floor is not BOTTOM:
                # Behind the floor there is no more: what became due again lies before it.
                self._floors.pop(campaign.id, None)
            elif claim.floor is not None:
                self._floors[campaign.id] = claim.floor
        if lane is not None and permits is not None:
            await self._engine.pace.give_back(lane, permits, own - len(claim.messages))
        return [_Taken(campaign=campaign, claimed=claimed, deadline=deadline) for claimed in claim.messages]

    async def _reserve_own(self, campaign: RunningCampaign, limit: int) -> tuple[Lane | None, Permits | None]:
        """Reserves from the campaign's own pace, where it has one."""
        if campaign.messages_per_second is None:
            return None, None
        lane = Lane.of_campaign(campaign.id, campaign.messages_per_second)
        return lane, await self._engine.pace.reserve(lane, limit)

    async def _parcels(self, taken: Sequence[_Taken], permits: Permits) -> list[Parcel]:
        """Gives each message its slot; who was written to too often in the last seconds waits."""
        waits = await self._engine.pace.wait_for_pairs(
            sender_id=self._sender_id, contact_ids=[one.claimed.contact_id for one in taken]
        )
        for one, wait in zip(taken, waits, strict=True):
            if wait > 0:
                again = NotSent(reason="the pair's pace", delay=wait)
                self._settler.add(settle(one.claimed, again, direct=one.campaign.direct, luck=0.0))
        ready = [one for one, wait in zip(taken, waits, strict=True) if wait == 0]
        return [
            Parcel(claimed=one.claimed, campaign=one.campaign, slot=permits.slot(index), deadline=one.deadline)
            for index, one in enumerate(ready)
        ]
