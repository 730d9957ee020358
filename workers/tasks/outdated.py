"""What the cache of the API should no longer show, because a receipt came late."""

from core.cache import campaign_generation
from workers.engine import Engine
from workers.tasks.moves import Moved


async def outdate_final_campaigns(engine: Engine, moved: Moved) -> None:
    """Outdates the kept replies of campaigns that are over: they are kept for long, as nothing should change any more.

    Those of running campaigns end by themselves within seconds. What is not told, because the cache is away or this
    process dies before, ends with its promised age.
    """
    changed = {step.after.campaign_id for step in moved.steps if step.is_news}
    if not changed or not engine.settings.cache_enabled:
        return
    async with engine.store.connection() as rooms:
        final = await rooms.campaign_states.list_final_campaigns(changed)
        rooms.outdate(*map(campaign_generation, final))
