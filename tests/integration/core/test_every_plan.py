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

from core.db import WALKS_INDEXES
from core.domain.time_ranges import NEWEST, OLDEST
from core.queries import parse
from tests.helpers.plans import entered
from tests.helpers.servers import Databases
from tests.helpers.volumes import Knowledge, fill_volume
from tests.house.sources import ROOT
from tests.integration.core.plan_entries import ENTRIES, WHOLE

STATEMENTS: Final = {
    f"{file.stem}.{name}": re.sub(r"/\* \w+ \*/", "", text)
    for file in sorted((ROOT / "sql/queries").glob("*.sql"))
    for name, text in parse(file.read_text()).items()
}
# What workers run is planned each time for its values; some of it after the transaction said to enter by keys.
ONLY_SEQUENTIAL_OFF: Final = {"deliveries", "inbound", "receipts", "replays", "shards"}
AS_CONFIGURED: Final = {"backlogs", "doubts", "pauses", "pumps", "recounts", "resumptions", "sending"}
UTILITY: Final = {"contact_imports.prepare_import_stage"}
LARGE: Final = frozenset(
    {"contacts", "category_contacts", "messages", "interactions", "message_attempts", "counters", "minute_counters"}
)
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
    values = await _values(connection)
    wrong = {}
    for name, statement in STATEMENTS.items():
        for mode, plan in (await _plans(connection, name, statement, values)).items():
            found = entered(plan, LARGE)
            allowed = ENTRIES[name] | (LARGE if name in WHOLE else set())
            if not found <= allowed:
                wrong[f"{name}, {mode}"] = found - allowed
    assert not wrong


async def _plans(connection: Connection, name: str, statement: str, values: dict[str, Any]) -> dict[str, Any]:
    if name in UTILITY:
        return {}
    noun = name.partition(".")[0]
    if noun in AS_CONFIGURED or noun in ONLY_SEQUENTIAL_OFF:
        off = {"enable_seqscan": "off"} if noun in ONLY_SEQUENTIAL_OFF else {}
        return {"custom": await _custom(connection, name, statement, values, off)}
    return {
        "custom": await _custom(connection, name, statement, values, WALKS_INDEXES),
        "generic": await _generic(connection, statement, WALKS_INDEXES),
    }


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
