"""Every named statement enters the large tables by the indexes it is meant to, whatever the planner knows of the rows.

Rows nobody analysed, statistics from when there were few, and fresh ones; planned for any values, as a kept plan is,
and for given ones; with the settings of the connections that run the statement.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from core.domain.time_ranges import NEWEST, OLDEST
from core.queries import parse
from tests.helpers.plans import entered
from tests.helpers.servers import Databases
from tests.helpers.volumes import Knowledge, fill_volume
from tests.house.sources import ROOT
from tests.integration.core.plan_entries import ENTRIES
from tests.integration.core.plan_ways import LARGE, RUN_BY, SETTINGS, WHOLE, Way

STATEMENTS: Final = {
    f"{file.stem}.{name}": re.sub(r"/\* \w+ \*/", "", text)
    for file in sorted((ROOT / "sql/queries").glob("*.sql"))
    for name, text in parse(file.read_text()).items()
}
UTILITY: Final = {"contact_imports.prepare_import_stage"}
# What lists of messages are asked for by place: ids above and below, open as they mostly are.
RANGES: Final[dict[str, dict[int, UUID]]] = {
    "messages.list_messages_between": {1: NEWEST, 2: NEWEST, 4: OLDEST, 5: NEWEST},
    "messages.list_messages_by_state": {1: NEWEST, 2: NEWEST, 4: OLDEST, 5: NEWEST},
}
Connection = Any  # the driver's own, with what repositories need not see


@pytest.fixture(scope="module", params=list(Knowledge))
def empty(databases: Databases, request: pytest.FixtureRequest) -> Iterator[tuple[str, Knowledge]]:
    with databases.copy() as url:
        yield url, request.param


@pytest.fixture(scope="module")
async def connection(empty: tuple[str, Knowledge]) -> AsyncIterator[Connection]:
    await fill_volume(*empty)
    opened = await asyncpg.connect(empty[0], server_settings={"jit": "off"})
    await opened.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    await opened.execute(STATEMENTS["contact_imports.prepare_import_stage"])
    yield opened
    await opened.close()


def test_every_statement_has_an_entry() -> None:
    assert set(ENTRIES) == set(STATEMENTS)


async def test_every_statement_enters_by_its_indexes(connection: Connection) -> None:
    values, tables = await _values(connection), await _tables(connection)
    wrong = {}
    for name, statement in STATEMENTS.items():
        for mode, plan in (await _plans(connection, name, statement, values)).items():
            found = entered(plan, LARGE)
            # Each table that is named is entered, by an index that is named: of two, the planner may take either.
            missed = {tables[each] for each in ENTRIES[name]} - {tables[each] for each in found}
            wrongly = found - ENTRIES[name] - WHOLE.get(name, set())
            if missed or wrongly:
                wrong[f"{name}, {mode}"] = (wrongly, missed)
    assert not wrong


async def test_an_entry_names_what_there_is(connection: Connection) -> None:
    known = set(await _tables(connection))
    assert {each for entry in ENTRIES.values() for each in entry} <= known
    assert {each for tables in WHOLE.values() for each in tables} <= LARGE
    assert set(WHOLE) <= set(STATEMENTS)
    assert all(name in STATEMENTS or any(each.startswith(f"{name}.") for each in STATEMENTS) for name in RUN_BY)


async def _tables(connection: Connection) -> dict[str, str]:
    """Returns the table of each index, and of each table itself."""
    rows = await connection.fetch("SELECT indexname, tablename FROM pg_indexes WHERE schemaname = 'public'")
    return {row["indexname"]: row["tablename"] for row in rows} | {each: each for each in LARGE}


async def _plans(connection: Connection, name: str, statement: str, values: dict[str, Any]) -> dict[str, Any]:
    if name in UTILITY:
        return {}
    plans = {}
    for way in RUN_BY.get(name) or RUN_BY.get(name.partition(".")[0]) or {Way.API}:
        planner, is_kept = SETTINGS[way]
        plans[f"{way}, custom"] = await _custom(connection, name, statement, values, planner)
        if is_kept:
            plans[f"{way}, generic"] = await _generic(connection, statement, planner)
    return plans


async def _custom(
    connection: Connection, name: str, statement: str, values: dict[str, Any], planner: dict[str, str] | Any
) -> Any:
    arguments = await _arguments(connection, name, statement, values)
    return await _explained(connection, "EXPLAIN (FORMAT JSON) " + statement, planner, *arguments)


async def _generic(connection: Connection, statement: str, planner: Any) -> Any:
    """Explains the statement as prepared: what EXPLAIN itself is given as arguments it plans for their values."""
    count = len((await connection.prepare(statement)).get_parameters())
    await connection.execute("PREPARE explained AS " + statement)
    try:
        arguments = f"({', '.join(['NULL'] * count)})" if count else ""
        generic = {**planner, "plan_cache_mode": "force_generic_plan"}
        return await _explained(connection, f"EXPLAIN (FORMAT JSON) EXECUTE explained{arguments}", generic)
    finally:
        await connection.execute("DEALLOCATE explained")


async def _explained(connection: Connection, statement: str, planner: Any, *arguments: object) -> Any:
    async with connection.transaction():
        for setting, value in planner.items():
            await connection.execute(f"SET LOCAL {setting} = {value}")
        (explained,) = json.loads(await connection.fetchval(statement, *arguments))
    return explained["Plan"]


async def _values(connection: Connection) -> dict[str, Any]:
    """Returns a value for each type: the newest campaign, of which old statistics say nothing, and fifty contacts."""
    now = datetime.now(UTC)  # noqa: TID251  # a time among those of the rows
    contacts = [row["id"] for row in await connection.fetch("SELECT id FROM contacts ORDER BY id LIMIT 50")]
    return {
        "uuid": await connection.fetchval("SELECT id FROM campaigns ORDER BY id DESC LIMIT 1"),
        "category": await connection.fetchval("SELECT id FROM categories ORDER BY id LIMIT 1"),
        "uuid[]": contacts, "int4": 50, "int8": 50, "text": "ORDER", "text[]": ["OPTED_IN"] * 3, "timestamptz": now,
        "timestamptz[]": [now] * 3, "bool": True, "bytea": b"a", "bytea[]": [b"a"] * 3, "jsonb": {}, "int8[]": [1] * 3,
        "jsonb[]": [{}] * 3, "int4[]": [1] * 3, "float8": 1.0, "float8[]": [1.0] * 3, "bool[]": [True] * 3, "int2": 1,
        "int2[]": [1] * 3, "interval": None,
    }  # fmt: skip


async def _arguments(connection: Connection, name: str, statement: str, values: dict[str, Any]) -> list[Any]:
    types = [parameter.name for parameter in (await connection.prepare(statement)).get_parameters()]
    arguments = [values.get(each) for each in types]
    if name.startswith("contact_lists."):
        arguments = [OLDEST if kind == "uuid" else value for kind, value in zip(types, arguments, strict=True)]
        return [values["category"] if place and value == OLDEST else value for place, value in enumerate(arguments)]
    if name.startswith("interactions.list_interactions"):
        return [NEWEST, *(values["uuid[]"][0] if value == values["uuid"] else value for value in arguments[1:])]
    return [RANGES.get(name, {}).get(place, value) for place, value in enumerate(arguments, 1)]
