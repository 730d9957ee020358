"""A worker killed between the POST and the settling: the message is in doubt, and evidence alone sends it again."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from redis.asyncio import Redis

from core.db import Database
from stack.process import Command, Process
from stack.programs import environment
from tests.helpers.doubts import doubt_one, hear_the_door, judge, state_of
from tests.helpers.eventually import eventually
from tests.helpers.recounting import differences
from tests.helpers.sending import CLOCK, Plan, numbers, planned, settings, variables
from tests.helpers.whatsapp import WhatsApp
from workers.assembly import assembled
from workers.keeper import Keeper
from workers.tasks import upkeep

LOST = "+491700009198"  # WhatsApp takes the message and never answers


@contextmanager
def worker_process(given: dict[str, str], directory: Path) -> Iterator[Process]:
    """Yields a worker in a process of its own."""
    ready = directory / "worker.ready"
    command = Command(
        name="worker",
        argv=(sys.executable, "-m", "workers"),
        log_file=directory / "worker.log",
        ready=lambda _pid: ready.is_file(),
        port_file=ready,
        env=environment({**given, "CHAPPE_PORT_FILE": str(ready)}),
    )
    with Process(command) as process:
        yield process


@pytest.fixture
def given(fresh_database_url: str, queue_url: str, whatsapp_and_url: tuple[WhatsApp, str]) -> dict[str, str]:
    """What a worker of this test is started with: short leases, a short grace."""
    return variables(
        database_url=fresh_database_url,
        queue_url=queue_url,
        whatsapp_url=whatsapp_and_url[1],
        CHAPPE_LEASE_SECONDS="2",
        CHAPPE_UNCONFIRMED_GRACE_SECONDS="3",
        CHAPPE_UNCONFIRMED_DEADLINE_SECONDS="60",
    )


async def test_a_worker_killed_after_the_post_leaves_doubt_and_not_a_second_message(
    fresh_database_url: str, given: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str], tmp_path: Path
) -> None:
    control = whatsapp_and_url[0]
    async with planned(fresh_database_url, [LOST]) as plan:
        with worker_process(given, tmp_path) as worker:
            await eventually(partial(_accepted, control, 1), 20)
            assert await plan.states() == {"SENDING": 1}
            worker.kill()
        with worker_process(given, tmp_path):
            await eventually(partial(plan.all_are, "UNCONFIRMED"), 20)
            # Past the grace, too: nobody has shown that the webhook door was up.
            await eventually(lambda: plan.value("doubt_time < now() - interval '4 seconds'"), 20)
            assert await plan.all_are("UNCONFIRMED")
        assert await control.accepted_count() == 1


async def test_a_message_in_doubt_is_sent_again_when_the_others_receipts_show_that_it_was_not_taken(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        await hear_the_door(plan)
        await judge(given)
        assert await state_of(plan, doubted) == "PENDING"
        assert (
            await plan.connection.fetchval("SELECT attempt FROM message_attempts WHERE message_id = $1", doubted) == 1
        )


async def test_doubts_of_which_nothing_is_proven_hold_up_none_behind_them(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(2021)) as plan:
        doubted = await doubt_one(plan)
        # As many as one look has, of a time when nobody was heard of; they came into doubt together.
        await plan.connection.execute(
            """UPDATE messages SET state = 'UNCONFIRMED', accept_time = NULL, send_time = NULL,
                doubt_time = now() - interval '58 seconds', lease_expire_time = now() - interval '1 hour'
            WHERE id IN (SELECT id FROM messages WHERE state = 'SENT' ORDER BY id LIMIT 2000)"""
        )
        await hear_the_door(plan)
        patient = given | {"CHAPPE_UNCONFIRMED_DEADLINE_SECONDS": "600"}
        async with assembled(settings=settings(**patient), clock=CLOCK, stopping=asyncio.Event()) as worker:
            await upkeep.judge_doubts(worker.engine)
            assert await state_of(plan, doubted) == "UNCONFIRMED"
            await upkeep.judge_doubts(worker.engine)
            assert await state_of(plan, doubted) == "PENDING"
            assert await plan.states() == {"UNCONFIRMED": 2000, "SENT": 20, "PENDING": 1}


async def test_silence_of_the_door_is_no_evidence(fresh_database_url: str, given: dict[str, str]) -> None:
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        await judge(given)
        assert await state_of(plan, doubted) == "UNCONFIRMED"


async def test_a_gap_of_the_door_within_the_grace_is_no_evidence(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        await hear_the_door(plan, seconds=60)
        await plan.connection.execute(
            """DELETE FROM webhook_heartbeats
            WHERE beat_time BETWEEN now() - interval '30 seconds' AND now() - interval '20 seconds'"""
        )
        await judge(given | {"CHAPPE_UNCONFIRMED_GRACE_SECONDS": "50"})
        assert await state_of(plan, doubted) == "UNCONFIRMED"


async def test_receipts_that_others_lack_as_well_are_no_evidence(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        await hear_the_door(plan)
        await plan.connection.execute(
            """UPDATE messages SET state = 'ACCEPTED'
            WHERE id IN (SELECT id FROM messages WHERE state = 'SENT' ORDER BY id LIMIT 2)"""
        )
        await judge(given)
        assert await state_of(plan, doubted) == "UNCONFIRMED"


@pytest.mark.parametrize(("policy", "expected"), [("RESEND", "PENDING"), ("HOLD", "FAILED")])
async def test_at_the_deadline_the_policy_of_the_campaign_decides(
    fresh_database_url: str, given: dict[str, str], policy: str, expected: str
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan:
        doubted = await doubt_one(plan)
        await plan.connection.execute("UPDATE campaigns SET unconfirmed_policy = $1", policy)
        await plan.connection.execute("UPDATE messages SET doubt_time = now() - interval '61 seconds'")
        await judge(given)
        assert await state_of(plan, doubted) == expected


@pytest.mark.parametrize(("grace", "expected"), [(52, "UNCONFIRMED"), (48, "PENDING")])
async def test_the_whole_grace_lies_before_the_seconds_whose_deliveries_may_still_wait(
    fresh_database_url: str, given: dict[str, str], grace: int, expected: str
) -> None:
    """A receipt that came within the grace may be stored, and not yet applied, for a few seconds."""
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        await hear_the_door(plan, seconds=90)
        await judge(given | {"CHAPPE_UNCONFIRMED_GRACE_SECONDS": str(grace)})
        assert await state_of(plan, doubted) == expected


@pytest.mark.parametrize(("came", "expected"), [(40, "UNCONFIRMED"), (10, "PENDING")])
async def test_the_policy_decides_once_all_that_came_until_the_deadline_is_applied(
    fresh_database_url: str, given: dict[str, str], came: int, expected: str
) -> None:
    """After a day without workers the proof of an accept may wait among the deliveries."""
    async with planned(fresh_database_url, numbers(1)) as plan:
        doubted = await doubt_one(plan)
        await plan.connection.execute("UPDATE campaigns SET unconfirmed_policy = 'RESEND'")
        await plan.connection.execute(
            "INSERT INTO webhook_deliveries (body, receive_time) VALUES ('', now() - make_interval(secs => $1))", came
        )
        await judge(given | {"CHAPPE_UNCONFIRMED_DEADLINE_SECONDS": "30"})
        assert await state_of(plan, doubted) == expected


async def test_the_deadline_holds_also_where_evidence_cannot_be_looked_for(
    fresh_database_url: str, given: dict[str, str]
) -> None:
    async with planned(fresh_database_url, numbers(1)) as plan:
        doubted = await doubt_one(plan)
        await plan.connection.execute("UPDATE messages SET doubt_time = now() - interval '61 seconds'")
        await plan.connection.execute("ALTER TABLE webhook_heartbeats RENAME TO moved_heartbeats")
        async with assembled(settings=settings(**given), clock=CLOCK, stopping=asyncio.Event()) as worker:
            await Keeper(engine=worker.engine, scouts=()).tick()
        assert await state_of(plan, doubted) == "FAILED"


@pytest.mark.parametrize(
    ("hears", "age", "expected"), [(True, 55, "CANCELLED"), (False, 55, "UNCONFIRMED"), (False, 61, "FAILED")]
)
async def test_a_cancelled_campaign_never_sends_a_doubt_again_and_keeps_none_that_evidence_ends(
    fresh_database_url: str, given: dict[str, str], hears: bool, age: int, expected: str
) -> None:
    async with planned(fresh_database_url, numbers(21)) as plan:
        doubted = await doubt_one(plan)
        if hears:
            await hear_the_door(plan)
        await plan.connection.execute("UPDATE campaigns SET state = 'CANCELLED', unconfirmed_policy = 'RESEND'")
        await plan.connection.execute(
            "UPDATE messages SET doubt_time = now() - make_interval(secs => $1) WHERE id = $2", age, doubted
        )
        await judge(given)
        assert await state_of(plan, doubted) == expected
        assert not await plan.connection.fetchval("SELECT count(*) FROM message_attempts")


async def _accepted(control: WhatsApp, count: int) -> bool:
    return await control.accepted_count() == count


async def test_workers_killed_again_and_again_and_a_bell_that_forgets_send_nothing_twice(
    fresh_database_url: str, given: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str], tmp_path: Path
) -> None:
    control = whatsapp_and_url[0]
    async with (
        planned(fresh_database_url, numbers(1500), per_second=500) as plan,
        Redis.from_url(given["CHAPPE_QUEUE_URL"]) as redis,
    ):
        for share in (0.2, 0.4, 0.6):
            with worker_process(given, tmp_path) as worker:
                await eventually(partial(_begun_more_than, plan, int(1500 * share)), 30)
                worker.kill()
                await redis.flushall()
        with worker_process(given, tmp_path):
            await eventually(partial(_none_is, plan, "PENDING", "SENDING"), 40)
        states = await plan.states()
        assert set(states) <= {"ACCEPTED", "UNCONFIRMED"}
        assert await control.doubled_count() == 0
        assert states["ACCEPTED"] <= await control.accepted_count() <= 1500
        async with Database(url=fresh_database_url, pool_size=1) as database:
            assert await differences(database) == []


async def _begun_more_than(plan: Plan, count: int) -> bool:
    # Not how many were accepted: of those that a killed worker leaves in doubt there may be any number.
    states = await plan.states()
    return sum(states.values()) - states.get("PENDING", 0) > count


async def _none_is(plan: Plan, *states: str) -> bool:
    return not set(states) & set(await plan.states())
