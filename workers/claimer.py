"""Takes the next batch for one sender: slots of its pace, filled with due messages of its campaigns in fair turns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.messages import Reason
from core.domain.outcomes import Claimed, NotSent, settle, skip
from core.domain.pacing import Permits
from core.domain.phone import country_of
from core.pace import Lane
from core.repositories.sending import BOTTOM, Floor, RunningCampaign
from workers.courier import Parcel
from workers.engine import Engine
from workers.settler import Settler

# A batch is this long at the sender's pace: with one on the wire and one waiting, less than half a second is planned.
_BATCH_SECONDS = 0.2
_MAX_BATCH = 250
# A message that could not leave for so long is claimed anew: a pause, an opt-out, a cancellation holds within a second.
_FRESH_SECONDS = 1.0
# A campaign that waits for a slot of its own pace must not keep single messages waiting.
_OWN_WAIT_SECONDS = 0.1
_SKIP_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A claimed message; `slot` is the earliest moment by its campaign's own pace, if it has one."""

    campaign: RunningCampaign
    claimed: Claimed
    claim_time: float
    slot: float


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
        last_slot = permits.slot(permits.count - 1)
        taken = await self._fill(self._in_turn(campaigns), permits.count, until=last_slot)
        await self._engine.pace.give_back(self._lane, permits, permits.count - len(taken))
        return await self._parcels(taken, permits)

    def _in_turn(self, campaigns: Sequence[RunningCampaign]) -> list[RunningCampaign]:
        """DIRECT first; the others begin with another one each time, so that a remainder favours none."""
        direct = [campaign for campaign in campaigns if campaign.direct]
        bulk = [campaign for campaign in campaigns if not campaign.direct]
        self._turn += 1
        start = self._turn % len(bulk) if bulk else 0
        return direct + bulk[start:] + bulk[:start]

    async def _fill(self, campaigns: Sequence[RunningCampaign], count: int, *, until: float) -> list[_Taken]:
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
                    got = await self._claim(campaign, share, until=until)
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

    async def _claim(self, campaign: RunningCampaign, limit: int, *, until: float) -> list[_Taken]:
        lane, permits = await self._reserve_own(campaign, limit, until=until)
        own = limit if permits is None else permits.count
        if own == 0:
            return []
        now = self._engine.clock.monotonic()
        claimed = self._passed(campaign, await self._claim_rows(campaign, own))
        if lane is None or permits is None:
            return [_Taken(campaign=campaign, claimed=one, claim_time=now, slot=0.0) for one in claimed]
        await self._engine.pace.give_back(lane, permits, own - len(claimed))
        return [
            _Taken(campaign=campaign, claimed=one, claim_time=now, slot=permits.slot(index))
            for index, one in enumerate(claimed)
        ]

    async def _claim_rows(self, campaign: RunningCampaign, limit: int) -> Sequence[Claimed]:
        floor = self._floors.get(campaign.id, BOTTOM)
        async with self._engine.store.connection() as rooms:
            claim = await rooms.sending.claim_messages(
                campaign_id=campaign.id, limit=limit, lease_seconds=self._engine.settings.lease_seconds, floor=floor
            )
        if claim.count < limit and floor is not BOTTOM:
            # Behind the floor there is no more: what became due again lies before it.
            self._floors.pop(campaign.id, None)
        elif claim.floor is not None:
            self._floors[campaign.id] = claim.floor
        return claim.messages

    def _passed(self, campaign: RunningCampaign, claimed: Sequence[Claimed]) -> Sequence[Claimed]:
        """Skips who lives where the account may not send; a single message goes out and finds out."""
        closed = campaign.restricted_countries
        if not closed or campaign.direct:
            return claimed
        abroad = [one for one in claimed if country_of(one.phone_number, one.whatsapp_user_id) in closed]
        for one in abroad:
            self._settler.add(skip(one, Reason.COUNTRY_RESTRICTED))
        if abroad:
            # There may be more behind them: the run must not take an empty batch for the end.
            self.waiting = self.waiting or _SKIP_SECONDS
        skipped = {one.ref.message_id for one in abroad}
        return [one for one in claimed if one.ref.message_id not in skipped]

    async def _reserve_own(
        self, campaign: RunningCampaign, limit: int, *, until: float
    ) -> tuple[Lane | None, Permits | None]:
        """Reserves from the campaign's own pace, where it has one, what may leave together with this batch."""
        if campaign.messages_per_second is None:
            return None, None
        lane = Lane.of_campaign(campaign.id, campaign.messages_per_second)
        within = max(0.0, until - self._engine.clock.monotonic())
        permits = await self._engine.pace.reserve(lane, limit, within=within)
        if permits.count == 0:
            self.waiting = max(0.01, min(permits.wait, _OWN_WAIT_SECONDS))
        return lane, permits

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
        # Those that must wait for a slot of their campaign come last, in its order: nobody waits behind them.
        ready.sort(key=lambda one: one.slot)
        return [
            Parcel(
                claimed=one.claimed,
                campaign=one.campaign,
                slot=max(one.slot, permits.slot(index)),
                stale_time=one.claim_time + _FRESH_SECONDS,
                deadline=one.claim_time + self._engine.settings.lease_seconds,
            )
            for index, one in enumerate(ready)
        ]
