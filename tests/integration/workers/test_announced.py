"""What WhatsApp announces of accounts, numbers and templates is kept to be shown, and what we show of them follows."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from core.domain.templates import ListedTemplate, TemplateFilter
from core.repositories.account_events import Announced
from tests.helpers.eventually import eventually
from tests.helpers.receiving import NOW, Desk, desk
from tests.helpers.sending import ACCOUNT, numbers
from tests.helpers.workers import busy_worker, idle_worker
from workers.tasks.upkeep import delete_old_rows

ALERT = {
    "entity_type": "WABA", "entity_id": "200300", "alert_severity": "CRITICAL", "alert_type": "OBA_APPROVED",
    "alert_description": "Look.",
}  # fmt: skip
ASKED = "SELECT refresh_time IS NULL FROM senders"


@pytest.fixture
async def at(fresh_database_url: str) -> AsyncIterator[Desk]:
    async with desk(fresh_database_url, numbers(1)) as made:
        await made.value("UPDATE templates SET sync_time = $1, quality = 'GREEN'", NOW - timedelta(days=1))
        await made.value("UPDATE senders SET phone_number = '+1 555-000-1111', refresh_time = $1", NOW)
        yield made


def announced(topic: str, value: dict[str, Any], *, seconds: int = 0) -> bytes:
    entry = {"id": ACCOUNT, "time": int(NOW.timestamp()) + seconds, "changes": [{"field": topic, "value": value}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


async def shown(at: Desk) -> list[Announced]:
    async with at.store.connection() as rooms:
        return await rooms.account_events.list_events(since=NOW - timedelta(days=1), limit=10)


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        ("account_alerts", ALERT),
        ("account_review_update", {"decision": "REJECTED"}),
        ("phone_number_name_update", {"display_phone_number": "15550001111", "decision": "DEFERRED"}),
        ("security", {"display_phone_number": "15550001111", "event": "PIN_CHANGED"}),
        ("template_category_update", {"new_category": "UTILITY", "correct_category": "MARKETING"}),
        ("message_template_components_update", {"message_template_name": "sale"}),
    ],
)
async def test_what_is_announced_is_kept_once(at: Desk, topic: str, value: dict[str, Any]) -> None:
    told = announced(topic, value)
    await at.deliver(told, told)
    await at.deliver(told)
    (found,) = await shown(at)
    assert (found.whatsapp_account_id, found.topic, found.value, found.event_time) == (ACCOUNT, topic, value, NOW)
    await at.deliver(announced(topic, value, seconds=1))
    assert [each.event_time - NOW for each in await shown(at)] == [timedelta(seconds=1), timedelta()]


async def test_the_quality_of_a_template_is_what_was_announced_last(at: Desk) -> None:
    template_id = await at.value("SELECT whatsapp_template_id FROM templates")
    quality = partial(at.value, "SELECT quality FROM templates")
    told = {"previous_quality_score": "GREEN", "message_template_id": template_id}
    await at.deliver(
        announced("message_template_quality_update", {**told, "new_quality_score": "RED"}, seconds=2),
        announced("message_template_quality_update", {**told, "new_quality_score": "YELLOW"}),
    )
    assert await quality() == "RED"
    await at.deliver(announced("message_template_quality_update", {**told, "new_quality_score": "SPLENDID"}, seconds=3))
    await at.deliver(
        announced("message_template_quality_update", {**told, "new_quality_score": "GREEN"}, seconds=-90_000)
    )
    assert await quality() == "RED"


@pytest.mark.parametrize(
    ("topic", "value", "asked"),
    [
        ("phone_number_quality_update", {"display_phone_number": "15550001111", "event": "DOWNGRADE"}, True),
        ("phone_number_quality_update", {"display_phone_number": "15550009999", "event": "DOWNGRADE"}, False),
        ("business_capability_update", {"max_daily_conversations_per_business": 2000}, True),
        ("account_alerts", ALERT, False),
    ],
)
async def test_whatsapp_is_asked_about_numbers_of_which_something_changed(
    at: Desk, topic: str, value: dict[str, Any], *, asked: bool
) -> None:
    await at.deliver(announced(topic, value))
    assert await at.value(ASKED) is asked


async def test_a_template_whose_texts_changed_is_synced(at: Desk, worker_settings: dict[str, str]) -> None:
    template_id = await at.value("SELECT whatsapp_template_id FROM templates")
    async with busy_worker(worker_settings) as worker:
        async with worker.engine.store.connection() as rooms:
            assert not await rooms.templates.list_outdated_accounts()
        await at.deliver(announced("message_template_components_update", {"message_template_id": template_id}))
        await eventually(partial(at.value, "SELECT count(*) > 1 FROM templates"), 20)
        async with worker.engine.store.connection() as rooms:
            assert not await rooms.templates.list_outdated_accounts()


async def test_texts_that_changed_after_whatsapp_was_asked_are_asked_for_again(at: Desk) -> None:
    template_id = await at.value("SELECT whatsapp_template_id FROM templates")
    await at.deliver(announced("message_template_components_update", {"message_template_id": template_id}))
    async with at.store.connection() as rooms:
        (template,) = await rooms.templates.list_templates(TemplateFilter(), limit=2)
    listed = ListedTemplate(
        whatsapp_template_id=template_id, template_name=template.template_name, language_code=template.language_code,
        template_category=template.template_category, state=template.state, parameter_format="POSITIONAL",
        components=[], quality="GREEN", rejected_reason="",
    )  # fmt: skip
    for seconds, is_outdated in ((-1, True), (1, False)):
        await at.value("UPDATE templates SET update_time = $1", NOW - timedelta(days=1))
        async with at.store.transaction() as rooms:
            await rooms.templates.sync_templates(ACCOUNT, [listed], at=NOW + timedelta(seconds=seconds))
            assert bool(await rooms.templates.list_outdated_accounts()) is is_outdated


async def test_what_was_announced_long_ago_is_forgotten(at: Desk, worker_settings: dict[str, str]) -> None:
    await at.deliver(announced("account_alerts", ALERT), announced("security", {"event": "PIN_CHANGED"}))
    await at.value("UPDATE account_events SET create_time = now() - interval '91 days' WHERE topic = 'account_alerts'")
    async with idle_worker(worker_settings) as worker:
        await delete_old_rows(worker.engine)
    assert [each.topic for each in await shown(at)] == ["security"]
