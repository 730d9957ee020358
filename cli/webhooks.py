"""WhatsApp's webhooks: the door itself, what it took and nobody understood, and having it applied once more.

What is kept of webhooks has no rpc, since it holds people's words; these commands go to the database itself, as those
for keys do.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import typer

from cli.output import explaining, fail, print_table, say
from cli.times import as_utc, in_utc, time_option
from cli.words import counted
from core.clock import SystemClock
from core.db import Database
from core.domain.errors import Refusal
from core.queue.wakeups import Wakeups
from core.repositories.replays import Selection
from core.repositories.rooms import Rooms, Store
from core.settings import Settings, SettingsError

R = TypeVar("R")
_PAGE: Final = 1000
_KINDS: Final = 100
_EVENTS: Final = 200
_LOOK_SECONDS: Final = 0.5

app = typer.Typer(
    help="Take WhatsApp's webhooks, when no command is named; show what was not understood; apply it once more."
)


@app.callback(invoke_without_command=True)
@explaining(SettingsError)
def door(context: typer.Context) -> None:
    """Take WhatsApp's webhooks (CHAPPE_WEBHOOKS_HOST, CHAPPE_WEBHOOKS_PORT), when no other command is named."""
    if context.invoked_subcommand is None:
        from server.webhooks.__main__ import main  # noqa: PLC0415 - each process loads only its own code

        main()


@app.command("unknown")
@explaining(SettingsError, Refusal, OSError)
def show_unknown(
    days: Annotated[int, typer.Option(min=1, max=7, help="How many days back; bodies are kept for seven.")] = 7,
) -> None:
    """Count, by kind, what webhooks held that this version does not know or could not apply."""
    since = SystemClock().now() - timedelta(days=days)
    kinds = _in_rooms(lambda rooms: rooms.replays.list_strange_kinds(since=since, limit=_KINDS))
    rows = [(each.kind, f"{each.count:,}", in_utc(each.last_time), each.last_id) for each in kinds]
    print_table(("what", "count", "last time (UTC)", "last delivery"), rows)


@app.command("events")
@explaining(SettingsError, Refusal, OSError)
def show_events(
    days: Annotated[int, typer.Option(min=1, max=90, help="How many days back; they are kept for ninety.")] = 30,
) -> None:
    """Show what WhatsApp announced of accounts, numbers and templates, the newest first."""
    since = SystemClock().now() - timedelta(days=days)
    events = _in_rooms(lambda rooms: rooms.account_events.list_events(since=since, limit=_EVENTS))
    rows = [
        (in_utc(each.event_time), each.whatsapp_account_id, each.topic, each.event, _in_words(each.value))
        for each in events
    ]
    print_table(("time (UTC)", "account", "about", "event", "what was told"), rows)
    if len(events) == _EVENTS:
        say(f"These are the newest {_EVENTS:,}; name fewer --days to see that none is left out.")


@app.command("replay")
@explaining(SettingsError, Refusal, OSError)
def replay(
    since: Annotated[datetime | None, time_option("Received from then on.")] = None,
    until: Annotated[datetime | None, time_option("Received before then.")] = None,
    delivery: Annotated[list[UUID] | None, typer.Option(help="Only this delivery; may be repeated.")] = None,
    only_strange: Annotated[
        bool, typer.Option("--only-strange", help="Only what failed or held what was not understood.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much it would be.")] = False,
) -> None:
    """Have the workers apply kept webhooks once more; what was applied already stays as it is.

    Without a delivery, --since or --only-strange is needed. Campaigns are neither paused nor resumed by what is over.
    """
    if since is None and not delivery and not only_strange:
        fail("say which: --since, --only-strange or --delivery.")
    now = SystemClock().now()
    selection = Selection(
        since=as_utc(since) or datetime.fromtimestamp(0, UTC),
        until=as_utc(until) or now,
        ids=tuple(delivery or ()),
        only_strange=only_strange,
    )
    asyncio.run(_replay(selection, dry_run=dry_run, at=now))


async def _replay(selection: Selection, *, dry_run: bool, at: datetime) -> None:
    settings = Settings.load()
    async with Database(url=settings.database_url, pool_size=1) as database:
        store = Store(database)
        async with store.connection() as rooms:
            count, size = await rooms.replays.count_replayable(selection)
        say(f"{counted(count, 'delivery matches', 'deliveries match')} ({counted(size, 'byte')}).")
        if dry_run or not count:
            return
        await _give_back(store, selection, count=count, at=at)
        wakeups = Wakeups.connect(settings.queue_url, clock=SystemClock())
        try:
            await wakeups.apply_deliveries()
        finally:
            await wakeups.close()
        await _watch(store, at=at)


async def _give_back(store: Store, selection: Selection, *, count: int, at: datetime) -> None:
    """Gives back a page per transaction: the workers begin with the first while the last is still to come."""
    done, after = 0, UUID(int=0)
    while True:
        async with store.transaction() as rooms:
            page = await rooms.replays.replay_deliveries(selection, at=at, after=after, limit=_PAGE)
        if not page:
            return
        done, after = done + len(page), page[-1]
        say(f"given back {done:,} of {count:,}")


async def _watch(store: Store, *, at: datetime) -> None:
    """Says how many are left until none is; leaving early leaves the work to the workers."""
    last = -1
    while last:
        async with store.connection() as rooms:
            left = await rooms.replays.count_waiting_replays(at)
            failed = await rooms.replays.count_failed_replays(at)
        if left != last:
            say(f"{left:,} left to apply")
        last = left
        await asyncio.sleep(_LOOK_SECONDS if left else 0)  # noqa: TID251  # a look now and then
    say(f"applied again; {failed:,} could not be applied.")


def _in_words(value: Mapping[str, Any]) -> str:
    """Writes what an announcement says as one line."""
    told = {key: item for key, item in value.items() if key != "event"}
    return ", ".join(f"{key} {item if isinstance(item, str | int) else json.dumps(item)}" for key, item in told.items())


def _in_rooms(work: Callable[[Rooms], Awaitable[R]]) -> R:
    async def run() -> R:
        url = Settings.load().database_url
        async with Database(url=url, pool_size=1) as database, Store(database).connection() as rooms:
            return await work(rooms)

    return asyncio.run(run())
