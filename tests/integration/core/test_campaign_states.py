"""Campaigns in the database: every verb is one guarded statement, and the keeper's work is set-based."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.domain.campaigns import (
    CANCELLABLE,
    PAUSABLE,
    RESUMABLE,
    STARTABLE,
    Campaign,
    CampaignState,
    PauseSource,
)
from core.domain.errors import Conflict, NotFound, Refusal, WrongState
from core.repositories.campaign_states import SQL, CampaignStates
from core.repositories.campaigns import Campaigns
from tests.helpers import campaign_rows as rows
from tests.helpers.scans import rows_read

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    async with Database(url=fresh_database_url, pool_size=20) as database:
        yield database


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with database.connection() as connection:
        yield connection


async def campaign(connection: Connection, state: str) -> UUID:
    number = str(await connection.fetchval("SELECT count(*) FROM senders"))
    sender_id = await rows.add_sender(connection, phone_number_id=number)
    template_id = await rows.add_template(connection, name=f"sale_{number}")
    return await rows.add_campaign(connection, sender_id=sender_id, template_id=template_id, state=state)


async def apply(connection: Connection, verb: str, campaign_id: UUID) -> Campaign:
    states = CampaignStates(connection)
    match verb:
        case "start":
            return await states.start_campaign(campaign_id, at=NOW)
        case "schedule":
            return await states.schedule_campaign(campaign_id, at=NOW, schedule_time=NOW + timedelta(hours=1))
        case "pause":
            return await states.pause_campaign(campaign_id, at=NOW, reason="lunch")
        case "resume":
            return await states.resume_campaign(campaign_id, at=NOW)
    return await states.cancel_campaign(campaign_id, at=NOW)


VERBS = {
    "start": (STARTABLE, CampaignState.RUNNING, "CAMPAIGN_NOT_STARTABLE"),
    "schedule": (STARTABLE, CampaignState.SCHEDULED, "CAMPAIGN_NOT_STARTABLE"),
    "pause": (PAUSABLE, CampaignState.PAUSED, "CAMPAIGN_NOT_PAUSABLE"),
    "resume": (RESUMABLE, CampaignState.RUNNING, "CAMPAIGN_NOT_RESUMABLE"),
    "cancel": (CANCELLABLE, CampaignState.CANCELLED, "CAMPAIGN_NOT_CANCELLABLE"),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_moves_a_campaign_from_where_it_may_and_is_refused_elsewhere(
    connection: Connection, verb: str
) -> None:
    allowed, reached, reason = VERBS[verb]
    for state in CampaignState:
        campaign_id = await campaign(connection, state)
        if state in allowed:
            moved = await apply(connection, verb, campaign_id)
            assert (moved.state, moved.revision, moved.update_time) == (reached, 2, NOW)
            continue
        with pytest.raises(WrongState) as refused:
            await apply(connection, verb, campaign_id)
        assert (refused.value.reason, refused.value.metadata["state"]) == (reason, state)
        assert (await Campaigns(connection).get_campaign(campaign_id)).state is state


async def test_of_fifty_starts_at_once_one_wins_and_the_others_hear_why(database: Database) -> None:
    async with database.connection() as connection:
        campaign_id = await campaign(connection, "DRAFT")

    async def start() -> str:
        async with database.transaction() as connection:
            try:
                return (await CampaignStates(connection).start_campaign(campaign_id, at=NOW)).state
            except Refusal as refusal:
                return refusal.reason

    outcomes = await asyncio.gather(*(start() for _ in range(50)))
    assert sorted(outcomes) == ["CAMPAIGN_NOT_STARTABLE"] * 49 + ["RUNNING"]


async def test_a_start_that_saw_an_older_draft_is_refused(connection: Connection) -> None:
    campaign_id = await campaign(connection, "DRAFT")
    with pytest.raises(Conflict) as refused:
        await CampaignStates(connection).start_campaign(campaign_id, at=NOW, revision=7)
    assert refused.value.reason == "ETAG_MISMATCH"
    assert (await CampaignStates(connection).start_campaign(campaign_id, at=NOW, revision=1)).revision == 2


async def test_a_campaign_that_is_not_there_is_not_found_by_any_verb(connection: Connection) -> None:
    for verb in VERBS:
        with pytest.raises(NotFound):
            await apply(connection, verb, UUID(int=5))


async def test_a_pause_tells_who_and_why_and_a_resume_forgets_it(connection: Connection) -> None:
    campaign_id = await campaign(connection, "RUNNING")
    paused = await apply(connection, "pause", campaign_id)
    assert (paused.pause_source, paused.pause_reason, paused.pause_time) == (PauseSource.USER, "lunch", NOW)
    resumed = await apply(connection, "resume", campaign_id)
    assert (resumed.pause_source, resumed.pause_reason) == (PauseSource.NONE, "")


async def test_due_campaigns_start_and_one_whose_template_was_lost_fails(
    connection: Connection,
) -> None:
    due, later, lost = [await campaign(connection, "SCHEDULED") for _ in range(3)]
    await connection.execute("UPDATE campaigns SET schedule_time = $2 WHERE id = $1", due, NOW)
    await connection.execute("UPDATE campaigns SET schedule_time = $2 WHERE id = $1", lost, NOW)
    await connection.execute("UPDATE campaigns SET schedule_time = $2 WHERE id = $1", later, NOW + timedelta(seconds=1))
    statement = "UPDATE templates SET state = 'PAUSED' WHERE id = (SELECT template_id FROM campaigns WHERE id = $1)"
    await connection.execute(statement, lost)
    moved = await CampaignStates(connection).start_due_campaigns(at=NOW)
    assert (moved.started, moved.failed) == ((due,), (lost,))
    failed = await Campaigns(connection).get_campaign(lost)
    assert (failed.state, failed.failure_reason) == (CampaignState.FAILED, "TEMPLATE_NOT_APPROVED")
    assert (await Campaigns(connection).get_campaign(later)).state is CampaignState.SCHEDULED


@pytest.mark.parametrize("state", ["PENDING", "SENDING", "UNCONFIRMED"])
async def test_a_message_to_send_or_in_doubt_keeps_a_campaign_running(connection: Connection, state: str) -> None:
    campaign_id = await expanded(connection, ["ACCEPTED", "READ", state])
    assert await CampaignStates(connection).complete_finished_campaigns(at=NOW) == []
    await connection.execute("UPDATE messages SET state = 'FAILED' WHERE state = $1", state)
    assert await CampaignStates(connection).complete_finished_campaigns(at=NOW) == [campaign_id]
    assert (await Campaigns(connection).get_campaign(campaign_id)).complete_time == NOW


async def test_what_whatsapp_holds_keeps_a_campaign_running_for_a_day(connection: Connection) -> None:
    campaign_id = await expanded(connection, ["READ", "HELD"])
    await connection.execute("UPDATE messages SET accept_time = $1", NOW)
    for hours, done in ((1, []), (25, [campaign_id])):
        at = NOW + timedelta(hours=hours)
        assert await CampaignStates(connection).complete_finished_campaigns(at=at) == done


async def test_a_campaign_that_is_still_being_planned_or_is_paused_is_not_complete(connection: Connection) -> None:
    campaign_id = await expanded(connection, ["READ"])
    await connection.execute("UPDATE campaigns SET expand_complete_time = NULL")
    assert await CampaignStates(connection).complete_finished_campaigns(at=NOW) == []
    assert await CampaignStates(connection).list_unexpanded_campaigns() == [campaign_id]
    await connection.execute("UPDATE campaigns SET expand_complete_time = now(), state = 'PAUSED'")
    assert await CampaignStates(connection).complete_finished_campaigns(at=NOW) == []


async def expanded(connection: Connection, states: list[str]) -> UUID:
    campaign_id = await campaign(connection, "RUNNING")
    await connection.execute("UPDATE campaigns SET expand_complete_time = now() WHERE id = $1", campaign_id)
    sender_id = (await Campaigns(connection).get_campaign(campaign_id)).sender_id
    await rows.add_messages(connection, campaign_id, sender_id=sender_id, states=states)
    return campaign_id


async def test_the_messages_of_a_cancelled_campaign_are_cancelled_by_pages_and_nothing_else_is(
    connection: Connection,
) -> None:
    states = CampaignStates(connection)
    campaign_id = await expanded(connection, ["PENDING"] * 25 + ["UNCONFIRMED", "SENDING", "READ"])
    other = await expanded(connection, ["PENDING"])
    assert await states.cancel_messages_page(campaign_id, limit=10) == 0
    await states.cancel_campaign(campaign_id, at=NOW)
    assert await states.list_unswept_campaigns() == [campaign_id]
    assert [await states.cancel_messages_page(campaign_id, limit=10) for _ in range(4)] == [10, 10, 5, 0]
    assert await states.list_unswept_campaigns() == []
    left = await connection.fetch("SELECT campaign_id, state, reason FROM messages WHERE state <> 'CANCELLED'")
    assert {(row["campaign_id"], row["state"]) for row in left} == {
        (campaign_id, "UNCONFIRMED"),
        (campaign_id, "SENDING"),
        (campaign_id, "READ"),
        (other, "PENDING"),
    }
    assert await connection.fetchval("SELECT count(*) FROM messages WHERE reason = 'CAMPAIGN_CANCELLED'") == 25


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("analysed", [False, True])
async def test_a_page_of_a_cancelled_campaign_is_entered_by_its_keys(
    connection: Connection, mode: str, *, analysed: bool
) -> None:
    await expanded(connection, ["READ"] * 20_000)
    if analysed:
        # What is known of the table is of a time before the campaign: as if it had next to no messages.
        await connection.execute("ANALYZE messages")
    campaign_id = await expanded(connection, ["PENDING"] * 20_000)
    # Each page of an expansion has a time of its own.
    await connection.execute("UPDATE messages SET not_before_time = now() + interval '1 s' * (random() * 100)::integer")
    states = CampaignStates(connection)
    await states.cancel_campaign(campaign_id, at=NOW)
    await connection.execute(f"SET plan_cache_mode = {mode}")
    assert await states.cancel_messages_page(campaign_id, limit=10_000) == 10_000
    statement = SQL["cancel_messages_page"].replace("WITH page", "EXPLAIN (ANALYZE, FORMAT JSON) WITH page", 1)
    plan = (await connection.fetchval(statement, campaign_id, 100))[0]["Plan"]
    assert 0 < max(rows_read(plan, {"messages"})) <= 100
