"""How the slots of one batch are shared out among a sender's campaigns: in rounds. Pure.

In each round a campaign is offered an equal share of the slots that are left; who took all of its share may want more,
and takes part in the next round. Ten slots, two messages due in A, many in B and in C:

1. Of ten slots for three campaigns each is offered three: A takes two, B and C three each. Two slots are left.
2. Of two slots for B and C each is offered one. The batch is full.

Were three campaigns left for the two slots there would be no second round: the next batch begins with another campaign,
so that what cannot be shared evenly favours none. Only while the batch is empty may a round have slots for some alone,
as where a slow sender has one slot a batch. Single messages come before all campaigns, and take what they need.
"""

from collections.abc import Sequence

from core.repositories.sending import RunningCampaign

# Campaigns that are claimed from together, by one statement and with the same share.
Group = Sequence[RunningCampaign]


def in_turn(campaigns: Sequence[RunningCampaign], turn: int) -> list[RunningCampaign]:
    """Returns the home of single messages first; the others begin with another one each turn."""
    direct = [one for one in campaigns if one.direct]
    bulk = [one for one in campaigns if not one.direct]
    start = turn % len(bulk) if bulk else 0
    return direct + bulk[start:] + bulk[:start]


def grouped(campaigns: Sequence[RunningCampaign]) -> list[Group]:
    """Parts those to claim from one by one, single messages and campaigns with a pace of their own, from the rest."""
    apart = [one for one in campaigns if one.direct or one.messages_per_second is not None]
    together = [one for one in campaigns if not one.direct and one.messages_per_second is None]
    return [*([one] for one in apart), *([together] if together else [])]


def share(group: Group, *, room: int, sharers: int) -> int:
    """Returns how many of `room` slots each of a group is offered, when so many campaigns are still to share them."""
    if room == 0 or group[0].direct:
        return room
    return max(1, room // sharers)
