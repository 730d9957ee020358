"""Campaigns in the database: drafts are written and read back, listed newest first, and only drafts are deleted."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.domain.bindings import Binding, Source
from core.domain.campaigns import Audience, Campaign, CampaignDraft, CampaignState, UnconfirmedPolicy
from core.domain.errors import Conflict, NotFound, WrongState
from core.domain.template_parts import Part
from core.domain.time_ranges import TimeRange
from core.repositories.campaigns import Campaigns
from core.repositories.previews import Previews
from tests.helpers import campaign_rows as rows

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
NAME = Binding(component=Part.BODY, parameter="1", source=Source.FIELD, value="display_name")


@pytest.fixture
async def connection(fresh_database_url: str) -> AsyncIterator[Connection]:
    async with Database(url=fresh_database_url) as database, database.connection() as connection:
        yield connection


async def draft(connection: Connection, **changes: object) -> CampaignDraft:
    sender_id = await connection.fetchval("SELECT id FROM senders") or await rows.add_sender(connection)
    template_id = await connection.fetchval("SELECT id FROM templates") or await rows.add_template(connection)
    values = {"display_name": "Spring", "sender_id": sender_id, "template_id": template_id, **changes}
    return CampaignDraft(**values)  # type: ignore[arg-type]


async def create(connection: Connection, **changes: object) -> Campaign:
    return await Campaigns(connection).create_campaign(await draft(connection, **changes))


async def test_a_draft_is_read_back_as_it_was_written(connection: Connection) -> None:
    audience = Audience(category_ids=(UUID(int=2), UUID(int=1)), excluded_category_ids=(UUID(int=3),))
    created = await create(
        connection,
        bindings=(NAME,),
        audience=audience,
        messages_per_second=12.5,
        unconfirmed_policy=UnconfirmedPolicy.RESEND,
    )
    assert await Campaigns(connection).get_campaign(created.id) == created
    assert (created.state, created.revision) == (CampaignState.DRAFT, 1)
    assert (created.bindings, created.audience, created.messages_per_second) == ((NAME,), audience, 12.5)
    assert created.unconfirmed_policy is UnconfirmedPolicy.RESEND


async def test_a_draft_is_changed_as_a_whole_and_a_started_campaign_not_at_all(connection: Connection) -> None:
    campaigns = Campaigns(connection)
    created = await create(connection, bindings=(NAME,))
    changed = await draft(connection, display_name="Summer", audience=Audience(all_contacts=True))
    updated = await campaigns.update_campaign(created.id, changed, at=NOW)
    assert (updated.display_name, updated.bindings, updated.revision) == ("Summer", (), 2)
    await connection.execute("UPDATE campaigns SET state = 'RUNNING'")
    with pytest.raises(WrongState) as refused:
        await campaigns.update_campaign(created.id, changed, at=NOW)
    assert refused.value.reason == "CAMPAIGN_NOT_EDITABLE"


async def test_the_name_and_the_rate_of_a_running_campaign_may_change(connection: Connection) -> None:
    created = await create(connection)
    await connection.execute("UPDATE campaigns SET state = 'RUNNING'")
    updated = await Campaigns(connection).update_live_campaign(
        created.id, display_name="Slow", messages_per_second=1, at=NOW
    )
    assert (updated.display_name, updated.messages_per_second, updated.state) == ("Slow", 1, CampaignState.RUNNING)


async def test_only_a_draft_is_deleted_and_only_as_it_was_seen(connection: Connection) -> None:
    campaigns = Campaigns(connection)
    created = await create(connection)
    with pytest.raises(Conflict):
        await campaigns.delete_campaign(created.id, revision=2)
    await connection.execute("UPDATE campaigns SET state = 'COMPLETED'")
    with pytest.raises(WrongState) as refused:
        await campaigns.delete_campaign(created.id)
    assert refused.value.reason == "CAMPAIGN_NOT_DELETABLE"
    await connection.execute("UPDATE campaigns SET state = 'DRAFT'")
    await campaigns.delete_campaign(created.id, revision=1)
    with pytest.raises(NotFound):
        await campaigns.get_campaign(created.id)


async def test_lists_run_newest_first_by_pages_and_hide_the_homes_of_single_messages(connection: Connection) -> None:
    campaigns = Campaigns(connection)
    made = [(await create(connection)).id for _ in range(5)]
    await connection.execute("UPDATE campaigns SET state = 'RUNNING' WHERE id = ANY ($1)", made[:2])
    statement = "INSERT INTO campaigns (kind, display_name, sender_id) SELECT 'DIRECT', '', id FROM senders"
    await connection.execute(statement)
    first = await campaigns.list_campaigns(limit=3)
    rest = await campaigns.list_campaigns(limit=3, before=first[-1].id)
    assert [campaign.id for campaign in first + rest] == sorted(made, reverse=True)
    running = await campaigns.list_campaigns_by_state(CampaignState.RUNNING, limit=9)
    assert [campaign.id for campaign in running] == sorted(made[:2], reverse=True)


async def test_a_campaign_is_of_the_time_it_says_it_was_created_in(connection: Connection) -> None:
    campaigns = Campaigns(connection)
    for _ in range(20):
        created = await create(connection)
        moment, next_moment = created.create_time, created.create_time + timedelta(milliseconds=1)
        by_state = partial(campaigns.list_campaigns_by_state, CampaignState.DRAFT, limit=1)
        for listed in (partial(campaigns.list_campaigns, limit=1), by_state):
            assert await listed(created=TimeRange(start=moment, end=next_moment)) == [created]
            assert created not in await listed(created=TimeRange(end=moment))
            assert created not in await listed(created=TimeRange(start=next_moment))


async def test_categories_that_are_not_there_are_found_out(connection: Connection) -> None:
    known = await rows.add_category(connection, [], name="Known")
    assert await Campaigns(connection).find_unknown_categories([known, UUID(int=1)]) == [UUID(int=1)]


async def test_a_preview_counts_what_the_expansion_would_make(connection: Connection) -> None:
    contacts = await rows.add_contacts(connection, 30)
    await connection.execute("UPDATE contacts SET marketing_consent = 'OPTED_OUT' WHERE id = ANY ($1)", contacts[:3])
    await connection.execute("UPDATE contacts SET whatsapp_state = 'ABSENT' WHERE id = ANY ($1)", contacts[2:5])
    await connection.execute("UPDATE contacts SET attributes = '{}' WHERE id = ANY ($1)", contacts[4:10])
    left = await rows.add_category(connection, contacts[:20], name="Left")
    right = await rows.add_category(connection, contacts[10:25], name="Right")
    never = await rows.add_category(connection, contacts[:1], name="Never")
    sender_id, template_id = await rows.add_sender(connection), await rows.add_template(connection)
    campaign_id = await rows.add_campaign(
        connection, sender_id=sender_id, template_id=template_id, categories=[left, right], excluded=[never]
    )
    previews = Previews(connection)
    counts = await previews.count_audience(campaign_id)
    assert counts.audience_count == 24
    assert dict(counts.skips) == {"OPTED_OUT": 2, "NO_WHATSAPP": 2, "MISSING_VARIABLE": 5}
    assert counts.sendable_count == 15
    assert await previews.count_missing_values(campaign_id) == {1: 6}
    samples = await previews.list_samples(campaign_id, limit=2)
    assert [contact_id for contact_id, _ in samples] == contacts[10:12]
    assert samples[0][1] == ["Name 11", "Rome"]


async def test_an_audience_without_anybody_is_told_apart(connection: Connection) -> None:
    empty = await rows.add_category(connection, [], name="Empty")
    nobody = await create(connection, audience=Audience(category_ids=(empty,)))
    everyone = await create(connection, audience=Audience(all_contacts=True))
    assert not await Previews(connection).has_audience(everyone.id)
    await rows.add_contacts(connection, 1)
    assert not await Previews(connection).has_audience(nobody.id)
    assert await Previews(connection).has_audience(everyone.id)
