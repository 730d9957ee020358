"""Counters compared with the messages they count, straight in the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

import typer

from cli.output import errors, explaining, say
from cli.words import counted
from core.cache import campaign_generation, telling
from core.clock import SystemClock
from core.db import Database
from core.domain.errors import Refusal
from core.domain.recounts import Difference, total
from core.domain.stats import DEPLOYMENT
from core.repositories.rooms import Store
from core.settings import Settings, SettingsError

_PAGE = 1000


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("recount")(recount)


@explaining(SettingsError, Refusal)
def recount(
    campaign: Annotated[str, typer.Argument(help="campaigns/…; all of them when left out.")] = "",
    repair: Annotated[bool, typer.Option("--repair", help="Set the counters right.")] = False,
) -> None:
    """Compare counters with messages (CHAPPE_DATABASE_URL). Exit code 1 when they differ and are not repaired."""
    found = asyncio.run(_compare(campaign, repair=repair))
    done = ", set right" if repair else ""
    say(f"differing by {found:,}{done}" if found else "counters equal messages")
    if found and not repair:
        raise typer.Exit(1)


async def _compare(campaign: str, *, repair: bool) -> int:
    found = 0
    async with _store(Settings.load()) as store:
        async for scope_id in _scopes(store, campaign):
            differences = await _compare_one(store, scope_id, repair=repair)
            for difference in differences:
                say(f"{_name(scope_id)} {difference}")
            found += total(differences)
    return found


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    """Yields the rows; that a repair changed the numbers of a campaign is told to the cache."""
    async with (
        Database(url=settings.database_url, pool_size=2) as database,
        telling(settings, clock=SystemClock()) as outdate,
    ):
        yield Store(database, outdate=outdate)


async def _scopes(store: Store, campaign: str) -> AsyncIterator[UUID]:
    """Yields campaigns first: the deployment is compared with what they count."""
    if campaign:
        async with store.connection() as rooms:
            found = await rooms.campaigns.get_campaign(_read(campaign))
        yield found.id
        return
    after = DEPLOYMENT
    while True:
        async with store.connection() as rooms:
            page = await rooms.recounts.list_scopes(after=after, limit=_PAGE)
        for scope_id in page:
            yield scope_id
        if len(page) < _PAGE:
            break
        after = page[-1]
    yield DEPLOYMENT


async def _compare_one(store: Store, scope_id: UUID, *, repair: bool) -> list[Difference]:
    if not repair:
        found = await _look(store, scope_id)
        async with store.connection() as rooms:
            await rooms.recounts.note_recount(scope_id, difference_count=total(found))
        return found
    async with store.transaction() as rooms:
        # Locked before it is looked: another repair, which would add the same, is then in the snapshot.
        await rooms.recounts.lock_repair(scope_id)
        found = await _look(store, scope_id)
        await rooms.recounts.repair(scope_id, found)
        if found and scope_id != DEPLOYMENT:
            rooms.outdate(campaign_generation(scope_id))  # of a campaign that is over, replies are kept for an hour
    return found


async def _look(store: Store, scope_id: UUID) -> list[Difference]:
    """Compares, and shows meanwhile how far it is where somebody looks."""
    name = _name(scope_id)
    with errors.status(f"comparing {name}") as shown:
        compared = 0

        def tell(more: int) -> None:
            nonlocal compared
            compared += more
            shown.update(f"comparing {name}: {counted(compared, 'message')}")

        async with store.snapshot() as rooms:
            return await rooms.recounts.find_differences(scope_id, tell=tell)


def _name(scope_id: UUID) -> str:
    return "all" if scope_id == DEPLOYMENT else f"campaigns/{scope_id}"


def _read(campaign: str) -> UUID:
    try:
        return UUID(campaign.removeprefix("campaigns/"))
    except ValueError:
        raise SettingsError(f"{campaign!r} is no name of a campaign") from None
