"""How the slots of one batch are shared out among a sender's campaigns: in rounds. Pure.

In each round a campaign is offered an equal share of the slots that are left; who took all of its share may want more,
and takes part in the next round. Ten slots, two messages due in A, many in B and in C:

1. Of ten slots for three campaigns each is offered three: A takes two, B and C three each. Two slots are left.
2. Of two slots for B and C each is offered one. The batch is full.

Were three campaigns left for the two slots there would be no second round: the next batch has slots for all of them.

Where a batch has fewer slots than campaigns, as that of a slow sender, these are asked one behind the other until the
slots are gone: who has nothing due is passed over, and the next batch begins behind the one that had the last slot.
Single messages come before all campaigns, and take what they need.
"""

from collections.abc import Sequence
from uuid import UUID

from core.repositories.sending import RunningCampaign

# Campaigns that are claimed from together, by one statement and with the same share.
Group = Sequence[RunningCampaign]


def in_turn(campaigns: Sequence[RunningCampaign], last: UUID | None) -> list[RunningCampaign]:
    """Returns the home of single messages first; the others, ordered by id, begin behind the one of the last turn."""
    direct = [one for one in campaigns if one.direct]
    bulk = [one for one in campaigns if not one.direct]
    start = 0 if last is None else sum(one.id <= last for one in bulk)
    return direct + bulk[start:] + bulk[:start]


def next_group(campaigns: Sequence[RunningCampaign], *, room: int) -> Group:
    """Returns whom to claim from next, of those that are still to be asked in a round with so many slots left.

    Single messages and a campaign with a pace of its own are claimed alone. With a slot for each the order matters not,
    and all others are claimed from together; with fewer slots, neighbours that nobody stands between.
    """
    alone = [one for one in campaigns if _is_claimed_alone(one)]
    if not alone:
        return campaigns[:room]
    if campaigns[0].direct or room >= len(campaigns):
        return alone[:1]
    before = campaigns.index(alone[0])
    return campaigns[: min(room, before)] or alone[:1]


def share(group: Group, *, room: int, sharers: int) -> int:
    """Returns how many of `room` slots each of a group is offered, when so many campaigns are still to share them."""
    return room if group[0].direct else max(1, room // sharers)


def _is_claimed_alone(campaign: RunningCampaign) -> bool:
    return campaign.direct or campaign.messages_per_second is not None
