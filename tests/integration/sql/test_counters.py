"""The counting trigger: counters equal rows after any history, in both scopes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DEPLOYMENT = UUID(int=0)
STATES = ("PENDING", "ACCEPTED", "SENT", "DELIVERED", "READ", "FAILED", "SKIPPED", "CANCELLED")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CAMPAIGNS = [UUID(int=number) for number in (1, 2)]

ROWS = """
    SELECT campaign_id AS scope_id, state, error_code, count(*) AS count FROM messages GROUP BY 1, 2, 3
    UNION ALL
    SELECT $1, state, error_code, count(*) FROM messages GROUP BY 2, 3
"""
COUNTED = """
    SELECT scope_id, state, error_code, sum(count)::bigint AS count FROM counters
    GROUP BY 1, 2, 3 HAVING sum(count) <> 0
"""
STAMPED = """
    SELECT campaign_id AS scope_id, date_trunc('minute', at) AS minute, milestone, count(*) AS count
    FROM messages, LATERAL (VALUES ('ACCEPTED', accept_time), ('SENT', send_time), ('DELIVERED', deliver_time),
        ('READ', read_time), ('FAILED', fail_time)) AS stamp (milestone, at)
    WHERE at IS NOT NULL
    GROUP BY 1, 2, 3
"""
MINUTES = """
    SELECT scope_id, minute, milestone, sum(count)::bigint AS count FROM minute_counters
    WHERE scope_id <> $1 GROUP BY 1, 2, 3 HAVING sum(count) <> 0
"""

changes = st.lists(
    st.tuples(
        st.sampled_from(CAMPAIGNS),
        st.integers(0, 9),
        st.sampled_from(STATES),
        st.sampled_from((0, 131026, 131049)),
        st.sampled_from(("accept_time", "send_time", "deliver_time", "read_time", "fail_time")),
        st.one_of(st.none(), st.integers(0, 300)),
    ),
    max_size=30,
)


@pytest.fixture
async def twenty_messages(connection: "asyncpg.Connection[asyncpg.Record]") -> "asyncpg.Connection[asyncpg.Record]":
    await connection.execute(
        "INSERT INTO messages (campaign_id, id, sender_id, occurrence)"
        " SELECT campaign_id, ('00000000-0000-0000-0000-0000000001' || lpad(n::text, 2, '0'))::uuid, $2, NULL"
        " FROM unnest($1::uuid[]) AS campaign_id, generate_series(0, 9) AS n",
        CAMPAIGNS,
        UUID(int=9),
    )
    return connection


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=changes)
async def test_counters_equal_rows_after_any_history(
    twenty_messages: "asyncpg.Connection[asyncpg.Record]", history: list[tuple[UUID, int, str, int, str, int | None]]
) -> None:
    for campaign_id, number, state, error_code, column, seconds in history:
        at = None if seconds is None else NOON + timedelta(seconds=seconds)
        # One statement moves a few rows at once, as settling does.
        await twenty_messages.execute(
            f"UPDATE messages SET state = $3, error_code = $4, {column} = $5"  # noqa: S608 - a constant of this file
            " WHERE campaign_id = $1 AND right(id::text, 2)::int >= $2",
            campaign_id, number, state, error_code, at,
        )  # fmt: skip
    assert await _set(twenty_messages, ROWS, DEPLOYMENT) == await _set(twenty_messages, COUNTED)
    assert await _set(twenty_messages, STAMPED) == await _set(twenty_messages, MINUTES, DEPLOYMENT)


async def test_an_update_that_changes_no_state_writes_no_counter(
    twenty_messages: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    before = await _versions(twenty_messages)
    await twenty_messages.execute("UPDATE messages SET retry_count = retry_count + 1")
    assert await _versions(twenty_messages) == before


async def test_a_large_update_is_counted_in_time_after_a_small_one(
    twenty_messages: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    connection = twenty_messages
    # A connection plans what a trigger does once, for as many rows as it then saw: here none.
    await connection.execute("UPDATE messages SET state = 'SENT' WHERE false")
    await connection.execute(
        "INSERT INTO messages (campaign_id, sender_id, state) SELECT $1, $2, 'PENDING' FROM generate_series(1, 10000)",
        UUID(int=3),
        UUID(int=9),
    )
    await connection.execute("SET statement_timeout = '5s'")
    await connection.execute("UPDATE messages SET state = 'CANCELLED' WHERE campaign_id = $1", UUID(int=3))


async def _set(
    connection: "asyncpg.Connection[asyncpg.Record]", query: str, *arguments: object
) -> set[tuple[object, ...]]:
    return {tuple(row) for row in await connection.fetch(query, *arguments)}


async def _versions(connection: "asyncpg.Connection[asyncpg.Record]") -> set[tuple[object, ...]]:
    return await _set(connection, "SELECT ctid, scope_id, state FROM counters")
