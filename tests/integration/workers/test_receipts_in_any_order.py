"""Any history of receipts over real rows: the states end as the rule says, and the counters equal the rows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.messages import MessageRef
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import numbers
from tests.helpers.webhook_bodies import body, status

MESSAGES = 4
WORDS = ("sent", "delivered", "read", "failed", "played")
RANK = {"sent": 1, "failed": 2, "delivered": 3, "read": 4, "played": 4}
STATE = {0: None, 1: "SENT", 2: "FAILED", 3: "DELIVERED", 4: "READ"}

ROWS = "SELECT campaign_id, state, error_code, count(*) AS count FROM messages GROUP BY 1, 2, 3"
COUNTED = """
    SELECT scope_id, state, error_code, sum(count)::bigint FROM counters
    WHERE scope_id <> '00000000-0000-0000-0000-000000000000' GROUP BY 1, 2, 3 HAVING sum(count) <> 0"""

receipt = st.tuples(
    st.integers(0, MESSAGES - 1), st.sampled_from(WORDS), st.integers(0, 90), st.sampled_from((131026, 131049))
)
history = st.lists(st.lists(receipt, max_size=5), max_size=5)


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(MESSAGES)) as made:
        yield made


@pytest.mark.parametrize("base", ["SENDING", "UNCONFIRMED", "ACCEPTED"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=history)
async def test_any_history_ends_as_the_rule_says_and_is_counted(
    at: Desk, base: str, told: list[list[tuple[int, str, int, int]]]
) -> None:
    refs = await _reset(at, base)
    for batch in told:
        await at.deliver(*(body(statuses=[_status(refs[item[0]], *item[1:])]) for item in batch))
    for number, ref in enumerate(refs):
        words = [item[1] for batch in told for item in batch if item[0] == number]
        heard = STATE[max((RANK[word] for word in words), default=0)]
        assert (await at.message(ref))["state"] == (heard or base)
    assert await _set(at, ROWS) == await _set(at, COUNTED)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(st.tuples(st.integers(1, 2), receipt), max_size=20), data=st.data())
async def test_two_orders_of_the_same_receipts_of_two_attempts_end_in_equal_rows(
    at: Desk, told: list[tuple[int, tuple[int, str, int, int]]], data: st.DataObject
) -> None:
    ends = []
    for order in (told, data.draw(st.permutations(told))):
        refs = await _reset(at, "UNCONFIRMED", attempt=2)
        for attempt, item in order:
            ref = replace(refs[item[0]], attempt=attempt)
            await at.deliver(body(statuses=[_status(ref, *item[1:])]))
        ends.append([await at.message(ref) for ref in refs])
    assert ends[0] == ends[1]
    for number, row in enumerate(ends[0]):
        heard = [(attempt, item[1]) for attempt, item in told if item[0] == number]
        counts = [RANK[word] for attempt, word in heard if (attempt, word) != (1, "failed")]
        assert row["state"] == (STATE[max(counts, default=0)] or "UNCONFIRMED")


async def _reset(at: Desk, state: str, *, attempt: int = 1) -> list[MessageRef]:
    await at.plan.connection.execute(
        """UPDATE messages SET error_code = 0, error_title = '',
            send_time = NULL, deliver_time = NULL, read_time = NULL, fail_time = NULL"""
    )
    return await at.sent(state, attempt=attempt)


def _status(ref: MessageRef, word: str, seconds: int, code: int) -> dict[str, Any]:
    at = NOW + timedelta(seconds=seconds)
    return status(word, at, wamid=f"wamid.{ref.message_id}.{ref.attempt}", ref=ref, code=code, title=f"title {code}")


async def _set(at: Desk, query: str) -> set[tuple[object, ...]]:
    return {tuple(row.values()) for row in await at.plan.connection.fetch(query)}
