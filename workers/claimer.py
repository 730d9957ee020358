"""Takes the next batch for one sender: slots of its pace, filled with due messages of its campaigns in fair turns."""

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.outcomes import Claimed, NotSent, settlement, shut_out
from core.domain.pacing import Permits
from core.domain.phone import country_of
from core.pace import Lane
from core.repositories.sending import BOTTOM, Claim, Floor, RunningCampaign
from core.whatsapp.errors import COUNTRY_RESTRICTED, words
from workers.engine import Engine
from workers.parcels import Batch, NotYet, Parcel
from workers.rounds import Group, in_turn, next_group, share
from workers.settler import Settler

_log = logging.getLogger(__name__)

# A batch is this long at the sender's pace; up to three are in hand, and `HORIZON_SECONDS` keeps what is planned within
# half a second.
_BATCH_SECONDS = 0.2
_MAX_BATCH = 250
# A message that could not leave for so long is claimed anew: a pause, an opt-out, a cancellation holds within a second.
_FRESH_SECONDS = 1.0
# An empty batch is followed by the next one after so long, at the least and at the most.
_LEAST_WAIT_SECONDS = 0.01
_MOST_WAIT_SECONDS = 1.0
# A campaign that waits for a slot of its own pace must not keep single messages waiting.
_OWN_WAIT_SECONDS = 0.1

# A claimed message that may leave, and its campaign.
_Due = tuple[RunningCampaign, Claimed]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A claimed message, not yet a parcel: its slot at the sender's pace is missing. All times are monotonic seconds.

    `own_slot` is the earliest moment by its campaign's own pace, 0 (any time) when it has none.
    """

    campaign: RunningCampaign
    claimed: Claimed
    claim_time: float
    own_slot: float


@dataclass(slots=True, kw_only=True)
class _Filling:
    """A batch while it is filled: `size` slots, the last one at `end`.

    `waits` has an entry for each reason why more may be due that was not taken: after so many seconds to ask again.
    """

    size: int
    end: float
    taken: list[_Taken] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def room(self) -> int:
        """How many slots are left."""
        return self.size - len(self.taken)

    def has_round_for(self, campaigns: Sequence[RunningCampaign]) -> bool:
        """Whether to go round once more: there is a slot for each, or the batch is still empty."""
        return bool(campaigns) and (not self.taken or self.room >= len(campaigns))


class Claimer:
    """Fills one sender's slots; remembers, per campaign, how far it has claimed."""

    def __init__(self, *, engine: Engine, sender_id: UUID, lane: Lane, settler: Settler) -> None:
        self._engine = engine
        self._sender_id = sender_id
        self._lane = lane
        self._settler = settler
        self._floors: dict[UUID, Floor] = {}

    async def next_batch(self) -> Batch | NotYet | None:
        """Claims what fits the pace now; None when nothing is due."""
        async with self._engine.store.connection() as rooms:
            running = await rooms.sending.list_running_campaigns(self._sender_id)
        if not running:
            return None
        wanted = max(1, min(_MAX_BATCH, math.ceil(self._lane.per_second * _BATCH_SECONDS)))
        permits = await self._engine.pace.reserve(self._lane, wanted)
        if permits.count == 0:
            return NotYet(seconds=_wait(permits, most=_MOST_WAIT_SECONDS))
        filling = _Filling(size=permits.count, end=permits.slot(permits.count - 1))
        campaigns = running if filling.room >= len(running) else await self._with_due(running)
        await self._fill(filling, in_turn(campaigns, self._engine.turns.get(self._sender_id)))
        await self._engine.pace.give_back(self._lane, permits, filling.room)
        if filling.taken:
            return Batch(parcels=self._parcels(filling.taken, permits), interval=permits.interval)
        return NotYet(seconds=min(filling.waits)) if filling.waits else None

    async def _with_due(self, campaigns: Sequence[RunningCampaign]) -> Sequence[RunningCampaign]:
        """Returns those that have something due: where slots are few, each of the others would cost a claim in vain."""
        async with self._engine.store.connection() as rooms:
            due = await rooms.sending.find_due_campaigns([one.id for one in campaigns])
        return [one for one in campaigns if one.id in due]

    async def _fill(self, filling: _Filling, campaigns: Sequence[RunningCampaign]) -> None:
        """Shares the slots out in rounds; see workers/rounds.py."""
        hungry = campaigns
        try:
            while filling.has_round_for(hungry):
                hungry = await self._go_round(filling, hungry)
        except Exception:
            if not filling.taken:
                raise
            # What is claimed already must be sent, or it would fall into doubt.
            _log.exception("a batch could not be filled whole")

    async def _go_round(self, filling: _Filling, campaigns: Sequence[RunningCampaign]) -> list[RunningCampaign]:
        """Offers each campaign its share; returns those that took all of it, and so may want more."""
        hungry: list[RunningCampaign] = []
        left = list(campaigns)
        while left and filling.room:
            group, is_short = next_group(left, room=filling.room), filling.room < len(left)
            offered = share(group, room=filling.room, sharers=len(left))
            taken = await self._take_share(filling, group, offered)
            filling.taken += taken
            counts = Counter(one.campaign.id for one in taken)
            hungry += [one for one in group if counts[one.id] == offered and not one.direct]
            if taken and is_short and not group[0].direct:
                self._engine.turns[self._sender_id] = taken[-1].campaign.id
            asked = {one.id for one in group}
            left = [one for one in left if one.id not in asked]
        return hungry

    async def _take_share(self, filling: _Filling, group: Group, offered: int) -> list[_Taken]:
        """Takes as many messages as are offered to each campaign; one with a pace of its own is alone in its group."""
        own_pace = group[0].messages_per_second
        if own_pace is None:
            return await self._take(filling, group, _anytime(offered))
        return await self._take_at_own_pace(filling, group, Lane.of_campaign(group[0].id, own_pace), offered)

    async def _take_at_own_pace(self, filling: _Filling, group: Group, lane: Lane, offered: int) -> list[_Taken]:
        """Takes at most as many as are offered, by the campaign's own slots that lie before the batch's end."""
        within = max(0.0, filling.end - self._engine.clock.monotonic())
        permits = await self._engine.pace.reserve(lane, offered, within=within)
        if permits.count == 0:
            filling.waits.append(_wait(permits, most=_OWN_WAIT_SECONDS))
            return []
        taken = await self._take(filling, group, permits)
        await self._engine.pace.give_back(lane, permits, permits.count - len(taken))
        return taken

    async def _take(self, filling: _Filling, group: Group, permits: Permits) -> list[_Taken]:
        """Takes a message for each of the permits from each campaign; who must not be called uses up none of them."""
        now = self._engine.clock.monotonic()
        claims = await self._claim(group, permits.count)
        due = [(campaign, one) for campaign in group for one in self._callable(filling, campaign, claims[campaign.id])]
        ready = await self._put_back_too_frequent(filling, due)
        return [
            _Taken(campaign=campaign, claimed=one, claim_time=now, own_slot=permits.slot(index))
            for index, (campaign, one) in enumerate(ready)
        ]

    def _callable(self, filling: _Filling, campaign: RunningCampaign, claim: Claim) -> Sequence[Claimed]:
        """Returns those of a claim who may be called; the others are settled at once."""
        leaving, shut = _part(campaign, claim.messages)
        if shut:
            self._settle_shut_out(shut)
        if len(leaving) < claim.count:
            # There may be more behind those who are skipped or shut out: an empty batch is not the end.
            filling.waits.append(_LEAST_WAIT_SECONDS)
        return leaving

    async def _claim(self, campaigns: Group, limit: int) -> Mapping[UUID, Claim]:
        """Claims rows of each campaign where its last claim ended, and from its bottom again once there is no more."""
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
        return claims

    def _settle_shut_out(self, shut: Sequence[Claimed]) -> None:
        for one in shut:
            self._settler.add(shut_out(one, code=COUNTRY_RESTRICTED, title=words(COUNTRY_RESTRICTED)))

    async def _put_back_too_frequent(self, filling: _Filling, due: Sequence[_Due]) -> list[_Due]:
        """Puts back who was written to too often in the last seconds; returns the others."""
        waits = await self._engine.pace.wait_for_pairs(
            sender_id=self._sender_id, contact_ids=[one.contact_id for _, one in due]
        )
        for (campaign, one), wait in zip(due, waits, strict=True):
            if wait > 0:
                again = NotSent(reason="the pair's pace", delay=wait)
                self._settler.add(settlement(one, again, direct=campaign.direct, luck=0.0))
                # Nor is it the end where all are put back.
                filling.waits.append(_LEAST_WAIT_SECONDS)
        return [each for each, wait in zip(due, waits, strict=True) if wait == 0]

    def _parcels(self, ready: list[_Taken], permits: Permits) -> list[Parcel]:
        """Gives each message its slot.

        Those that must wait for a slot of their campaign come last, in its order: nobody waits behind them.
        """
        return [
            Parcel(
                claimed=one.claimed,
                campaign=one.campaign,
                slot=max(one.own_slot, permits.slot(index)),
                stale_time=one.claim_time + _FRESH_SECONDS,
                deadline=one.claim_time + self._engine.settings.lease_seconds,
            )
            for index, one in enumerate(sorted(ready, key=lambda one: one.own_slot))
        ]


def _wait(permits: Permits, *, most: float) -> float:
    """Returns after how many seconds to ask again for slots when there were none."""
    return max(_LEAST_WAIT_SECONDS, min(permits.wait, most))


def _anytime(count: int) -> Permits:
    """Returns what a campaign without a pace of its own may send: so many, each at any time."""
    return Permits(count=count, start=0.0, interval=0.0)


def _part(campaign: RunningCampaign, claimed: Sequence[Claimed]) -> tuple[Sequence[Claimed], Sequence[Claimed]]:
    """Parts those to call from those who live where the account may not send; a single message finds out by itself."""
    closed = campaign.restricted_countries
    if not closed or campaign.direct:
        return claimed, ()
    leaving: list[Claimed] = []
    shut: list[Claimed] = []
    for one in claimed:
        (shut if country_of(one.phone_number, one.whatsapp_user_id) in closed else leaving).append(one)
    return leaving, shut
