"""Who looks for work: each scout asks the rows what waits, and says whom to ring and what to do."""

from collections.abc import Awaitable, Callable
from functools import partial

from core.whatsapp.errors import DOUBTS_TEMPLATE
from workers.engine import Engine
from workers.keeper import Errand, Scout
from workers.tasks.campaigns import cancel_messages, expand_campaign, retry_messages
from workers.tasks.messages import pump_messages
from workers.tasks.receipts import apply_deliveries
from workers.tasks.recounts import recount_next
from workers.tasks.senders import refresh_sender
from workers.tasks.templates import sync_doubted, sync_templates
from workers.tasks.upkeep import delete_old_rows, fold_counters
from workers.tasks.urgent import apply_urgent

_RECOUNT_SECONDS = 10.0
_UPKEEP_SECONDS = 60.0
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
        partial(_find_doubted, engine),
        partial(_find_outdated_templates, engine),
        partial(_find_urgent, engine),
        partial(_find_deliveries, engine),
        Seldom(engine, recount_next, name="recount", seconds=_RECOUNT_SECONDS),
        Seldom(engine, delete_old_rows, name="old rows", seconds=_UPKEEP_SECONDS),
        Seldom(engine, fold_counters, name="fold", seconds=_UPKEEP_SECONDS),
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
        Errand(name=f"sweep:{campaign_id}", work=partial(cancel_messages, engine, campaign_id)) for campaign_id in ids
    ]


async def _find_retries(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.retries.list_unfinished_retries()
    return [
        Errand(name=f"retry:{campaign_id}", work=partial(retry_messages, engine, campaign_id)) for campaign_id in ids
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


async def _find_unrefreshed(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.senders.list_unrefreshed(limit=_REFRESHES)
    return [Errand(name=f"refresh:{sender_id}", work=partial(refresh_sender, engine, sender_id)) for sender_id in ids]


async def _find_doubted(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        found = await rooms.templates.list_doubted_templates(codes=sorted(DOUBTS_TEMPLATE))
    return [Errand(name=f"templates:{one.sender_id}", work=partial(sync_doubted, engine, one)) for one in found]


async def _find_outdated_templates(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        ids = await rooms.templates.list_outdated_accounts()
    return [Errand(name=f"templates:{sender_id}", work=partial(sync_templates, engine, sender_id)) for sender_id in ids]


async def _find_urgent(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        head = await rooms.deliveries.find_urgent_head()
    if head is None:
        return []
    return [Errand(name="urgent", ring=engine.wakeups.apply_urgent, work=partial(apply_urgent, engine), head=head)]


async def _find_deliveries(engine: Engine) -> list[Errand]:
    async with engine.store.connection() as rooms:
        head = await rooms.deliveries.find_head()
    if head is None:
        return []
    ring, work = engine.wakeups.apply_deliveries, partial(apply_deliveries, engine)
    return [Errand(name="deliveries", ring=ring, work=work, head=head)]


class Seldom:
    """Sends for one task every so many seconds; while it runs, the keeper sends for no second one."""

    def __init__(self, engine: Engine, task: Callable[[Engine], Awaitable[None]], *, name: str, seconds: float) -> None:
        self._engine = engine
        self._errand = Errand(name=name, work=partial(task, engine))
        self._seconds = seconds
        self._next_time = float("-inf")

    async def __call__(self) -> list[Errand]:
        """Returns the errand when it is time, and what was not done then waits for the next time."""
        now = self._engine.clock.monotonic()
        if now < self._next_time:
            return []
        self._next_time = now + self._seconds
        return [self._errand]
