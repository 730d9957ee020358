"""How fast an audience becomes messages, beside a bare INSERT … SELECT: `python -m tests.bench.expansion`.

Both write the same table with the same indexes and keys on a PostgreSQL that syncs; the bare one has no counting
trigger, no frozen values, no checkpoints, and PostgreSQL's own defaults. Rounds alternate, each on an emptied table,
and the median of the rounds' ratios is judged.
"""

import argparse
import asyncio
import itertools
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from core.clock import SystemClock
from core.db import Connection, Database
from core.repositories.expansion import Expansion
from tests.bench.targets import LEAST_EXPANSION
from tests.helpers import servers
from tests.helpers.campaign_rows import add_campaign, add_category, add_contacts, add_sender, add_template
from tests.helpers.servers import Databases
from workers.assembly import planned_each_time
from workers.tasks.campaigns import PAGE

CLOCK = SystemClock()
_BARE = """
INSERT INTO messages (campaign_id, contact_id, sender_id, template_id, occurrence, state, parameters)
SELECT $1, contact_id, $2, $3, 1, 'PENDING', '["Name", "Rome"]'
FROM category_contacts WHERE category_id = $4 ORDER BY contact_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Names the rows a campaign stands on."""

    sender_id: UUID
    template_id: UUID
    category_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """Holds what the rounds measured, in messages a second; `ratio` is the median of the rounds' ratios."""

    expansion: float
    bare: float
    ratio: float
    ratios: tuple[float, ...]


def main() -> None:
    """Measures, prints a line per round and the medians; exits with 1 below the least ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--page", type=int, default=PAGE, help="contacts a transaction")
    chosen = parser.parse_args()
    found = measure(contacts=chosen.contacts, rounds=chosen.rounds, page=chosen.page)
    print(f"expansion {found.expansion:,.0f}/s, bare {found.bare:,.0f}/s, ratio {found.ratio:.2f}")
    raise SystemExit(int(found.ratio < LEAST_EXPANSION))


def measure(*, contacts: int, rounds: int, page: int = PAGE) -> Expanded:
    """Returns what that many rounds measured."""
    with servers.postgres(durable=True) as postgres, Databases(postgres).copy() as url:
        return asyncio.run(_rounds(planned_each_time(url), contacts=contacts, rounds=rounds, page=page))


async def _rounds(url: str, *, contacts: int, rounds: int, page: int) -> Expanded:
    figures: list[tuple[float, float]] = []
    async with Database(url=url, pool_size=1) as database:
        async with database.connection() as connection:
            audience = await _audience(connection, contacts)
        for number in range(rounds + 1):
            # Each round the other one begins; the first round only warms up.
            pair = await _round(database, audience, page=page, bare_first=bool(number % 2))
            if number:
                figures.append((contacts / pair[0], contacts / pair[1]))
                print(f"round {number}: expansion {figures[-1][0]:,.0f}/s, bare {figures[-1][1]:,.0f}/s", flush=True)
    ratios = tuple(round(ours / bare, 3) for ours, bare in figures)
    ours, bare = (median(column) for column in zip(*figures, strict=True))
    return Expanded(expansion=ours, bare=bare, ratio=median(ratios), ratios=ratios)


async def _round(database: Database, audience: Audience, *, page: int, bare_first: bool) -> tuple[float, float]:
    seconds: dict[bool, float] = {}
    for bare in (bare_first, not bare_first):
        campaign_id = await _fresh(database, audience)
        began = CLOCK.monotonic()
        await (_insert(database, campaign_id, audience) if bare else _expand(database, campaign_id, page))
        seconds[bare] = CLOCK.monotonic() - began
    return seconds[False], seconds[True]


async def _audience(connection: Connection, contacts: int) -> Audience:
    members = await add_contacts(connection, contacts)
    audience = Audience(
        sender_id=await add_sender(connection),
        template_id=await add_template(connection),
        category_id=await add_category(connection, members, name="Everybody"),
    )
    await connection.execute("VACUUM ANALYZE")
    return audience


async def _fresh(database: Database, audience: Audience) -> UUID:
    """Empties the table, settles the disk, and returns a new campaign."""
    async with database.connection() as connection:
        await connection.execute("TRUNCATE messages, message_attempts, counters, minute_counters")
        await connection.execute("CHECKPOINT")
        return await add_campaign(
            connection,
            sender_id=audience.sender_id,
            template_id=audience.template_id,
            categories=[audience.category_id],
        )


async def _expand(database: Database, campaign_id: UUID, page: int) -> None:
    for _ in itertools.count():
        async with database.transaction() as connection:
            if (await Expansion(connection).expand_page(campaign_id, page)).is_complete:
                return


async def _insert(database: Database, campaign_id: UUID, audience: Audience) -> None:
    async with database.transaction() as connection:
        # As anybody's connection has it; workers plan each statement anew, here each row's check of its contact.
        await connection.execute("SET LOCAL plan_cache_mode = auto")
        await connection.execute("ALTER TABLE messages DISABLE TRIGGER messages_count_insert")
        await connection.execute(_BARE, campaign_id, audience.sender_id, audience.template_id, audience.category_id)
        await connection.execute("ALTER TABLE messages ENABLE TRIGGER messages_count_insert")


if __name__ == "__main__":
    main()
