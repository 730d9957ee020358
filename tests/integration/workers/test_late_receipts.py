"""Receipts that come later than the grace, but in their order: what left behind the last one is not sent again."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.helpers.doubts import doubt_one, hear_the_door, judge, state_of
from tests.helpers.sending import CLOCK, Plan, numbers, planned, variables
from tests.helpers.whatsapp import WhatsApp

_STEP = timedelta(seconds=0.1)
_LEASE = timedelta(seconds=2)
_ANSWER = timedelta(seconds=0.05)


@pytest.fixture
def given(fresh_database_url: str, queue_url: str, whatsapp_and_url: tuple[WhatsApp, str]) -> dict[str, str]:
    """What a worker of this test is started with: a grace that is shorter than receipts are late."""
    return variables(
        database_url=fresh_database_url,
        queue_url=queue_url,
        whatsapp_url=whatsapp_and_url[1],
        CHAPPE_LEASE_SECONDS="2",
        CHAPPE_UNCONFIRMED_GRACE_SECONDS="3",
    )


@pytest.mark.parametrize(("later_ones_heard", "expected"), [(0, "UNCONFIRMED"), (2, "UNCONFIRMED"), (10, "PENDING")])
async def test_while_receipts_have_not_come_past_its_moment_a_message_in_doubt_is_not_sent_again(
    fresh_database_url: str, given: dict[str, str], later_ones_heard: int, expected: str
) -> None:
    async with planned(fresh_database_url, numbers(300)) as plan:
        # The end of a campaign, ten messages a second: ten more left after it, of some three hundred in its minute.
        doubted, left = await _sent_in_turn(plan, place=289)
        await _hear_up_to(plan, left + later_ones_heard * _STEP)
        await judge(given)
        assert await state_of(plan, doubted) == expected


async def test_a_stray_one_without_a_receipt_does_not_keep_those_before_it_in_doubt(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(300)) as plan:
        doubted, left = await _sent_in_turn(plan, place=289)
        await plan.connection.execute(
            "UPDATE messages SET state = 'ACCEPTED' WHERE accept_time BETWEEN $1 AND $2",
            left + 2 * _STEP,
            left + 3 * _STEP,
        )
        assert (await plan.states())["ACCEPTED"] == 1
        await judge(given)
        assert await state_of(plan, doubted) == "PENDING"


@pytest.mark.parametrize(("unheard", "expected"), [(5, "UNCONFIRMED"), (1, "PENDING")])
async def test_receipts_that_have_come_up_to_a_moment_are_no_evidence_of_what_left_at_it(
    fresh_database_url: str, given: dict[str, str], unheard: int, expected: str
) -> None:
    async with planned(fresh_database_url, numbers(101)) as plan:
        doubted = await doubt_one(plan)
        await hear_the_door(plan)
        # All was heard of the minute in which it left, which is all but over, and next to nothing of the minute after.
        minute = CLOCK.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
        claimed, later = minute + timedelta(seconds=50), minute + timedelta(seconds=62)
        await plan.connection.execute(
            "UPDATE messages SET lease_expire_time = $1 WHERE id = $2", claimed + timedelta(seconds=2), doubted
        )
        await plan.connection.execute("UPDATE messages SET accept_time = $1 WHERE state = 'SENT'", minute)
        await plan.connection.execute(
            """UPDATE messages SET state = 'ACCEPTED', accept_time = $1
            WHERE id IN (SELECT id FROM messages WHERE state = 'SENT' ORDER BY id LIMIT $2)""",
            later,
            unheard,
        )
        await judge(given)
        assert await state_of(plan, doubted) == expected


async def _sent_in_turn(plan: Plan, *, place: int) -> tuple[UUID, datetime]:
    """Lets all leave in turn before the end of a minute, all heard of but one; returns it and when it left."""
    doubted = await doubt_one(plan)
    await hear_the_door(plan)
    minute = CLOCK.now().replace(second=0, microsecond=0) - timedelta(minutes=2)
    first = minute + timedelta(seconds=25)
    await plan.connection.execute(
        """UPDATE messages SET lease_expire_time = turn.left_time + $3, accept_time = turn.left_time + $4
        FROM (
            SELECT id, $1::timestamptz + (row_number() OVER (ORDER BY id) - 1) * $2::interval AS left_time
            FROM messages WHERE state = 'SENT'
        ) AS turn
        WHERE turn.id = messages.id""",
        first, _STEP, _LEASE, _ANSWER,
    )  # fmt: skip
    left = first + place * _STEP
    await plan.connection.execute("UPDATE messages SET lease_expire_time = $1 WHERE id = $2", left + _LEASE, doubted)
    return doubted, left


async def _hear_up_to(plan: Plan, front: datetime) -> None:
    """Lets receipts come in their order, up to a moment: nothing is heard of what was taken after it."""
    await plan.connection.execute(
        "UPDATE messages SET state = 'ACCEPTED', send_time = NULL WHERE state = 'SENT' AND accept_time > $1", front
    )
