"""Takes the next batch for one sender: slots of its pace, filled with due messages of its campaigns in fair turns."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.domain.outcomes import Claimed, NotSent, settle, shut_out
from core.domain.pacing import Permits
from core.domain.phone import country_of
from core.pace import Lane
from core.repositories.sending import BOTTOM, Floor, RunningCampaign
from core.whatsapp.errors import COUNTRY_RESTRICTED, words
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
_PASSED_SECONDS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A claimed message; all times are monotonic seconds.

    `slot` is the earliest moment by its campaign's own pace, 0 when it has none.
    """

    campaign: RunningCampaign
    claimed: Claimed
    claim_time: float
    slot: float


class Claimer:
    """Fills one sender's slots; remembers, per campaign, how far it has claimed.

    - `interval` are the seconds between two slots at the sender's pace of now.
    - `waiting` are the seconds after which it is worth while to ask again though the last batch was empty; 0 when
      nothing was due.
    """

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
        """Claims what fits the pace now; empty when nothing is due or, with `waiting` set, it is too early."""
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
        """Shares slots out in rounds: what a campaign with less to send leaves goes to those that have more.

        Slots too few for one each are left to the next batch, which begins with another campaign.
        """
        taken: list[_Taken] = []
        hungry = list(campaigns)
        while hungry and (not taken or count - len(taken) >= len(hungry)):
            still_hungry: list[RunningCampaign] = []
            left = len(hungry)
            for group in _groups(hungry):
                room = count - len(taken)
                share = room if group[0].direct else max(min(1, room), room // left)
                left -= len(group)
                if share == 0:
                    break
                try:
                    got = await self._claim(group[:room], share, until=until)
                except Exception:
                    if not taken:
                        raise
                    # What is claimed already must be sent, or it would fall into doubt.
                    return taken
                taken += got
                counts = Counter(one.campaign.id for one in got)
                still_hungry += [one for one in group if counts[one.id] == share and not one.direct]
            hungry = still_hungry
        return taken

    async def _claim(self, campaigns: Sequence[RunningCampaign], limit: int, *, until: float) -> list[_Taken]:
        """Claims as many from each campaign; several at once have no pace of their own."""
        lane, permits = await self._reserve_own(campaigns[0], limit, until=until)
        own = limit if permits is None else permits.count
        if own == 0:
            return []
        now = self._engine.clock.monotonic()
        rows = await self._claim_rows(campaigns, own)
        claimed = {campaign.id: self._passed(campaign, rows[campaign.id]) for campaign in campaigns}
        if lane is not None and permits is not None:
            await self._engine.pace.give_back(lane, permits, own - len(claimed[campaigns[0].id]))
        return [
            _Taken(campaign=campaign, claimed=one, claim_time=now, slot=0.0 if permits is None else permits.slot(index))
            for campaign in campaigns
            for index, one in enumerate(claimed[campaign.id])
        ]

    async def _claim_rows(self, campaigns: Sequence[RunningCampaign], limit: int) -> Mapping[UUID, Sequence[Claimed]]:
        floors = {campaign.id: self._floors.get(campaign.id, BOTTOM) for campaign in campaigns}
        async with self._engine.store.connection() as rooms:
            claims = await rooms.sending.claim_messages(
                floors, limit=limit, lease_seconds=self._engine.settings.lease_seconds
            )
        for campaign_id, claim in claims.items():
            if claim.count < limit and floors[campaign_id] is not BOTTOM:
                # Behind the floor there is no more: what became due again lies before it.
                self._floors.pop(campaign_id, None)
            elif claim.floor is not None:
                self._floors[campaign_id] = claim.floor
        return {campaign_id: claim.messages for campaign_id, claim in claims.items()}

    def _passed(self, campaign: RunningCampaign, claimed: Sequence[Claimed]) -> Sequence[Claimed]:
        """Fails without a call who lives where the account may not send; a single message goes out and finds out."""
        closed = campaign.restricted_countries
        if not closed or campaign.direct:
            return claimed
        abroad = [one for one in claimed if country_of(one.phone_number, one.whatsapp_user_id) in closed]
        for one in abroad:
            self._settler.add(shut_out(one, code=COUNTRY_RESTRICTED, title=words(COUNTRY_RESTRICTED)))
        if abroad:
            # There may be more behind them: the run must not take an empty batch for the end.
            self.waiting = self.waiting or _PASSED_SECONDS
        failed = {one.ref.message_id for one in abroad}
        return [one for one in claimed if one.ref.message_id not in failed]

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


def _groups(campaigns: Sequence[RunningCampaign]) -> list[list[RunningCampaign]]:
    """Parts those to claim from one by one, single messages and campaigns with a pace of their own, from the rest."""
    apart = [one for one in campaigns if one.direct or one.messages_per_second is not None]
    together = [one for one in campaigns if not one.direct and one.messages_per_second is None]
    return [*([one] for one in apart), *([together] if together else [])]
