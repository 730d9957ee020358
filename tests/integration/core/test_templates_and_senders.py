"""Templates and senders in the database: a sync makes the account what WhatsApp lists; a used sender stays."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.db import Connection, Database
from core.domain.errors import AlreadyExists, NotFound, WrongState
from core.domain.senders import Quality, Rate, SenderDraft, SenderInfo, SenderState, ThroughputLevel, with_defaults
from core.domain.templates import ListedTemplate, SyncCounts, TemplateCategory, TemplateFilter, TemplateState
from core.repositories.senders import Senders
from core.repositories.templates import Templates
from tests.helpers import campaign_rows as rows

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)
SALE = ListedTemplate(
    whatsapp_template_id="900",
    template_name="sale",
    language_code="en_US",
    template_category=TemplateCategory.MARKETING,
    state=TemplateState.APPROVED,
    parameter_format="POSITIONAL",
    components=[{"type": "BODY", "text": "Hi {{1}}"}],
    quality="GREEN",
    rejected_reason="",
)
SALE_FR = replace(SALE, whatsapp_template_id="901", language_code="fr")
CODE = replace(SALE, whatsapp_template_id="902", template_name="code", template_category=TemplateCategory.UTILITY)


@pytest.fixture
async def connection(fresh_database_url: str) -> AsyncIterator[Connection]:
    async with Database(url=fresh_database_url) as database, database.connection() as connection:
        yield connection


async def test_a_sync_adds_changes_keeps_and_marks_what_is_gone_and_says_how_many(connection: Connection) -> None:
    templates = Templates(connection)
    first = await templates.sync_templates("200", [SALE, SALE_FR, CODE], at=NOW)
    assert first == SyncCounts(created_count=3, updated_count=0, unchanged_count=0, deleted_count=0)
    paused = replace(SALE, state=TemplateState.PAUSED)
    again = await templates.sync_templates("200", [paused, CODE], at=NOW + timedelta(hours=1))
    assert again == SyncCounts(created_count=0, updated_count=1, unchanged_count=1, deleted_count=1)
    found = {(t.template_name, t.language_code): t for t in await templates.list_templates(TemplateFilter(), limit=9)}
    assert found["sale", "en_US"].state is TemplateState.PAUSED
    assert found["sale", "fr"].state is TemplateState.DELETED
    assert found["code", "en_US"].update_time == NOW
    assert found["code", "en_US"].sync_time == NOW + timedelta(hours=1)


async def test_what_was_announced_after_whatsapp_was_asked_is_newer_than_its_list(connection: Connection) -> None:
    templates = Templates(connection)
    utility = replace(SALE, template_category=TemplateCategory.UTILITY)
    await templates.sync_templates("200", [utility, SALE_FR, CODE], at=NOW)
    asked = NOW + timedelta(hours=1)
    await connection.execute(
        """UPDATE templates
        SET template_category = CASE whatsapp_template_id WHEN '900' THEN 'MARKETING' ELSE template_category END,
            state = CASE whatsapp_template_id WHEN '901' THEN 'PAUSED' ELSE state END, update_time = $1
        WHERE whatsapp_template_id IN ('900', '901')""",
        asked + timedelta(seconds=1),
    )
    counts = await templates.sync_templates("200", [utility], at=asked)
    assert counts == SyncCounts(created_count=0, updated_count=0, unchanged_count=1, deleted_count=1)
    found = {t.whatsapp_template_id: t for t in await templates.list_templates(TemplateFilter(), limit=9)}
    assert found["900"].template_category is TemplateCategory.MARKETING
    assert found["901"].state is TemplateState.PAUSED
    later = await templates.sync_templates("200", [utility], at=asked + timedelta(hours=1))
    assert (later.updated_count, later.deleted_count) == (1, 1)


async def test_a_template_that_comes_back_is_the_same_one(connection: Connection) -> None:
    templates = Templates(connection)
    await templates.sync_templates("200", [SALE], at=NOW)
    [before] = await templates.list_templates(TemplateFilter(), limit=9)
    await templates.sync_templates("200", [], at=NOW)
    await templates.sync_templates("200", [SALE], at=NOW)
    [after] = await templates.list_templates(TemplateFilter(), limit=9)
    assert (after.id, after.state) == (before.id, TemplateState.APPROVED)


async def test_a_sync_leaves_other_accounts_alone_and_takes_what_is_listed_twice_once(
    connection: Connection,
) -> None:
    templates = Templates(connection)
    await templates.sync_templates("200", [SALE], at=NOW)
    counts = await templates.sync_templates("300", [CODE, CODE], at=NOW)
    assert (counts.created_count, counts.deleted_count) == (1, 0)
    chosen = TemplateFilter(whatsapp_account_id="200", state="APPROVED")
    assert [template.template_name for template in await templates.list_templates(chosen, limit=9)] == ["sale"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (TemplateFilter(), {"900", "901", "902"}),
        (TemplateFilter(template_name="sale"), {"900", "901"}),
        (TemplateFilter(language_code="fr"), {"901"}),
        (TemplateFilter(template_category="UTILITY"), {"902"}),
        (TemplateFilter(state="PAUSED"), set()),
    ],
)
async def test_each_filter_selects(connection: Connection, chosen: TemplateFilter, expected: set[str]) -> None:
    templates = Templates(connection)
    await templates.sync_templates("200", [SALE, SALE_FR, CODE], at=NOW)
    found = await templates.list_templates(chosen, limit=9)
    assert {template.whatsapp_template_id for template in found} == expected


async def test_templates_are_paged_oldest_first(connection: Connection) -> None:
    templates = Templates(connection)
    await templates.sync_templates("200", [SALE, SALE_FR, CODE], at=NOW)
    first = await templates.list_templates(TemplateFilter(), limit=2)
    rest = await templates.list_templates(TemplateFilter(), limit=2, after=first[-1].id)
    assert [template.id for template in first + rest] == sorted(template.id for template in first + rest)
    assert len(rest) == 1


async def test_a_sender_is_created_once_with_defaults_and_changed_in_part(connection: Connection) -> None:
    senders = Senders(connection)
    draft = with_defaults(SenderDraft(display_name="Shop", phone_number_id="100", whatsapp_account_id="200"))
    created = await senders.create_sender(draft, at=NOW)
    assert (created.messages_per_second, created.credential_reference) == (80, "CHAPPE_WHATSAPP_ACCESS_TOKEN")
    with pytest.raises(AlreadyExists) as refused:
        await senders.create_sender(draft, at=NOW)
    assert refused.value.reason == "SENDER_ALREADY_EXISTS"
    changed = await senders.update_sender(
        created.id, display_name=None, credential_reference=None, rate=Rate().choose(5), at=NOW
    )
    assert (changed.display_name, changed.messages_per_second) == ("Shop", 5)


async def test_a_sender_with_a_campaign_cannot_be_deleted(connection: Connection) -> None:
    senders = Senders(connection)
    used, unused = await rows.add_sender(connection), await rows.add_sender(connection, phone_number_id="101")
    template_id = await rows.add_template(connection)
    await rows.add_campaign(connection, sender_id=used, template_id=template_id, state="DRAFT")
    with pytest.raises(WrongState) as refused:
        await senders.delete_sender(used)
    assert refused.value.reason == "SENDER_IN_USE"
    await senders.delete_sender(unused)
    with pytest.raises(NotFound):
        await senders.delete_sender(unused)


async def test_pausing_and_resuming_twice_is_harmless_and_the_first_reason_stays(connection: Connection) -> None:
    senders = Senders(connection)
    sender_id = await rows.add_sender(connection)
    await senders.pause_sender(sender_id, reason="first", at=NOW)
    paused = await senders.pause_sender(sender_id, reason="second", at=NOW)
    assert (paused.state, paused.pause_reason) == (SenderState.PAUSED, "first")
    await senders.resume_sender(sender_id, at=NOW)
    resumed = await senders.resume_sender(sender_id, at=NOW)
    assert (resumed.state, resumed.pause_reason) == (SenderState.ACTIVE, "")
    with pytest.raises(NotFound):
        await senders.resume_sender(UUID(int=1), at=NOW)


async def test_what_whatsapp_says_of_a_sender_is_kept(connection: Connection) -> None:
    sender_id = await rows.add_sender(connection)
    info = SenderInfo(
        phone_number="+1 555 0100",
        verified_name="Shop",
        quality=Quality.GREEN,
        throughput_level=ThroughputLevel.HIGH,
        messaging_limit="TIER_10K",
    )
    asked = (await Senders(connection).get_sender(sender_id)).update_time
    kept = await Senders(connection).refresh_sender(
        sender_id, info, rate=Rate().refresh(info.throughput_level), asked=asked, at=NOW
    )
    assert (kept.quality, kept.throughput_level, kept.messaging_limit) == (Quality.GREEN, "HIGH", "TIER_10K")
    assert (kept.messages_per_second, kept.refresh_time, kept.verified_name) == (1000, NOW, "Shop")
