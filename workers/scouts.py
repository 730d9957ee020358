"""Who looks for work: each scout asks the rows what waits, and says whom to ring and what to do."""

from functools import partial

from core.repositories.rooms import Rooms
from workers.engine import Engine
from workers.keeper import Errand, Scout
from workers.tasks.campaigns import cancel_messages, expand_campaign, retry_messages
from workers.tasks.messages import pump_messages
from workers.tasks.receipts import apply_deliveries, apply_urgent
from workers.tasks.recounts import recount
from workers.tasks.senders import refresh_sender

_RECOUNT_SECONDS = 10.0
# WhatsApp is asked about so many numbers at once.
_REFRESHES = 10


def scouts(engine: Engine) -> tuple[Scout, ...]:
    """Returns all scouts of a worker."""
    return (
        partial(_find_expansions, engine),
        partial(_find_sweeps, engine),
        partial(_find_retries, engine),
        partial(_find_senders, engine),
        partial(_find_unrefreshed, engine),
        partial(_find_urgent, engine),
        partial(_find_deliveries, engine),
        RecountScout(engine),
    )


async def _find_expansions(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.campaign_states.list_unexpanded_campaigns()
    return [
        Errand(
            name=f"expand:{campaign_id}",
            ring=partial(engine.wakeups.expand_campaign, campaign_id),
            work=partial(expand_campaign, engine, campaign_id),
        )
        for campaign_id in ids
    ]


async def _find_sweeps(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.campaign_states.list_unswept_campaigns()
    return [
        Errand(name=f"sweep:{campaign_id}", ring=_nobody, work=partial(cancel_messages, engine, campaign_id))
        for campaign_id in ids
    ]


async def _find_retries(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.retries.list_unfinished_retries()
    return [
        Errand(name=f"retry:{campaign_id}", ring=_nobody, work=partial(retry_messages, engine, campaign_id))
        for campaign_id in ids
    ]


async def _find_senders(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.pumps.list_due_senders()
    return [
        Errand(
            name=f"pump:{sender_id}",
            ring=partial(engine.wakeups.pump_sender, sender_id),
            work=partial(pump_messages, engine, sender_id),
        )
        for sender_id in ids
    ]


async def _find_urgent(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        waiting = await rooms.deliveries.is_urgent_waiting()
    if not waiting:
        return []
    return [Errand(name="urgent", ring=engine.wakeups.apply_urgent, work=partial(apply_urgent, engine))]


class RecountScout:
    """Looks every ten seconds for counters to be compared; each comparison may take as long as it likes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._next_look = 0.0

    async def __call__(self) -> list[Errand]:
        """Returns at most one comparison."""
        if self._engine.clock.monotonic() < self._next_look:
            return []
        self._next_look = self._engine.clock.monotonic() + _RECOUNT_SECONDS
        async with self._engine.store.connection() as rooms:
            scope_id = await rooms.recounts.take_next_scope()
        if scope_id is None:
            return []
        return [Errand(name="recount", ring=_nobody, work=partial(recount, self._engine, scope_id))]


async def _find_unrefreshed(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.senders.list_unrefreshed(limit=_REFRESHES)
    return [
        Errand(name=f"refresh:{sender_id}", ring=_nobody, work=partial(refresh_sender, engine, sender_id))
        for sender_id in ids
    ]


async def _find_deliveries(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        waiting = await _unapplied(rooms)
    if not waiting:
        return []
    return [Errand(name="deliveries", ring=engine.wakeups.apply_deliveries, work=partial(apply_deliveries, engine))]


async def _unapplied(rooms: Rooms) -> bool:
    return await rooms.deliveries.count_unapplied(limit=1) > 0


async def _nobody() -> bool:
    """No bell is rung for what the keeper always does itself."""
    return False
