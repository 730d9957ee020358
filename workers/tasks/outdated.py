"""What the cache of the API should no longer show, because the numbers of a campaign that is over changed."""

from collections.abc import Collection
from uuid import UUID

from core.cache import campaign_generation
from core.repositories.rooms import Store


async def outdate_final_campaigns(store: Store, changed: Collection[UUID]) -> None:
    """Outdates the kept replies of campaigns that are over: they are kept for long, as nothing should change any more.

    Asked after the commit: a campaign that ends only now shows the change. Those of running campaigns end by themselves
    within seconds. What is not told, because the cache is away or this process dies before, ends with its promised age.
    """
    if not changed or not store.is_heard:
        return
    async with store.connection() as rooms:
        final = await rooms.campaign_states.list_final_campaigns(changed)
        rooms.outdate(*map(campaign_generation, final))
