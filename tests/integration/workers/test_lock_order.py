"""Writers that meet on the same rows, messages or campaigns, lock them in key order: none ever waits in a ring."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from random import Random  # noqa: TID251  # the orders come from fixed seeds
from typing import Any
from uuid import UUID

import pytest

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import Settlement
from core.domain.templates import ListedTemplate, SyncCounts, TemplateCategory, TemplateState
from core.queries import load
from tests.helpers.campaign_rows import add_campaign, add_sender, add_template
from tests.helpers.eventually import eventually
from tests.helpers.lock_waits import WAITERS
from tests.helpers.receiving import NOW, Desk, announce, desk
from tests.helpers.sending import ACCOUNT
from tests.integration.workers.test_announcements import announced, banned, template

WRITERS = 3
ROUNDS = 12
# They lie in the table the other way round than by their keys.
MORE_CAMPAIGNS = """
    INSERT INTO campaigns (id, display_name, sender_id, template_id, state)
    SELECT
        ('00000000-0000-0000-0000-' || lpad((1000 - number)::text, 12, '0'))::uuid, 'Campaign', sender_id, template_id,
        'RUNNING'
    FROM campaigns CROSS JOIN generate_series(1, 300) AS number"""
LISTED = ListedTemplate(
    whatsapp_template_id="902",
    template_name="",
    language_code="en_US",
    template_category=TemplateCategory.MARKETING,
    state=TemplateState.APPROVED,
    parameter_format="POSITIONAL",
    components=[],
    quality="GREEN",
    rejected_reason="",
)
NUMBERS = [f"+4917{number:08d}" for number in range(300)]


async def test_settling_and_receipts_on_the_same_rows_never_deadlock(fresh_database_url: str) -> None:
    async with desk(fresh_database_url, NUMBERS) as at:
        refs = await at.sent("SENDING")
        settling = [_settle(at, refs, Random(seed)) for seed in range(WRITERS)]
        receiving = [_lock_as_receipts_do(at, refs, Random(seed)) for seed in range(WRITERS, 2 * WRITERS)]
        await asyncio.gather(*settling, *receiving)  # a deadlock would raise TRANSACTION_CONFLICT
        assert await at.value("SELECT count(*) FROM messages WHERE state = 'ACCEPTED'") == len(NUMBERS)


async def _settle(at: Desk, refs: list[MessageRef], luck: Random) -> None:
    for _ in range(ROUNDS):
        shuffled = luck.sample(refs, len(refs))
        async with at.store.transaction() as rooms:
            await rooms.sending.settle_messages(
                [
                    Settlement(ref=ref, state=MessageState.ACCEPTED, whatsapp_message_id=f"wamid.{ref.message_id}")
                    for ref in shuffled
                ]
            )


async def _lock_as_receipts_do(at: Desk, refs: list[MessageRef], luck: Random) -> None:
    for _ in range(ROUNDS):
        async with at.store.transaction() as rooms:
            assert len(await rooms.receipts.lock_messages(luck.sample(refs, len(refs)))) == len(refs)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        ("pause_account_campaigns", ("sender_id", "", 1, 0.0, False, NOW)),
        ("pause_credential_campaigns", ("sender_id", "", 1, NOW)),
        ("pause_sender_campaigns", ("sender_id", "", 1, 0.0, NOW)),
        ("pause_template_campaigns", ("id", "", 1, NOW)),
        ("pause_unusable_campaigns", (["900"], ["APPROVED"], "", 1, [])),
        ("pause_restricted_campaigns", (ACCOUNT, "", 1, NOW, [])),
    ],
)
async def test_a_pause_that_waits_for_a_campaign_holds_none_behind_it(
    fresh_database_url: str, statement: str, arguments: tuple[object, ...]
) -> None:
    async with desk(fresh_database_url, NUMBERS[:1]) as at, at.store.transaction() as first:
        await at.value(MORE_CAMPAIGNS)
        await at.value("UPDATE templates SET whatsapp_template_id = '900'")
        lowest, *_, highest = await at.plan.connection.fetch("SELECT id, sender_id FROM campaigns ORDER BY id")
        await first.campaigns.lock_campaign(lowest["id"])
        ids = {"id": lowest["id"], "sender_id": lowest["sender_id"]}
        waiting = asyncio.create_task(_pause(at, statement, [ids.get(str(item), item) for item in arguments]))
        await eventually(partial(at.value, WAITERS), 20)
        # In key order nothing can have been taken yet.
        await at.value("SELECT id FROM campaigns WHERE id = $1 FOR UPDATE NOWAIT", highest["id"])
    assert await waiting == 301


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        ("move_templates", [["PAUSED"] * 2, [""] * 2, [NOW] * 2]),
        ("recategorise_templates", [["UTILITY"] * 2, [NOW] * 2]),
    ],
)
async def test_templates_that_move_together_are_taken_in_their_order_however_whatsapp_tells_of_them(
    fresh_database_url: str, statement: str, more: list[object]
) -> None:
    async with desk(fresh_database_url, NUMBERS[:1]) as at:
        low = await at.value("UPDATE templates SET whatsapp_template_id = '901' RETURNING id")
        high = await add_template(at.plan.connection, name="other")
        await at.value("UPDATE templates SET sync_time = $1", NOW)
        assert low < high
        async with at.database.transaction() as first:
            await first.fetchval("SELECT id FROM templates WHERE id = $1 FOR UPDATE", low)
            waiting = asyncio.create_task(_move(at, load("inbound")[statement], [["900", "901"], *more]))
            await eventually(partial(at.has_waiters, 1), 20)
            await at.value("SELECT id FROM templates WHERE id = $1 FOR UPDATE NOWAIT", high)
        assert await waiting == "UPDATE 2"


async def test_a_sync_and_an_announcement_of_the_same_templates_wait_for_each_other_and_not_in_a_ring(
    fresh_database_url: str,
) -> None:
    """WhatsApp lists them the other way round than they were made."""
    async with desk(fresh_database_url, NUMBERS[:1]) as at:
        low = await at.value("UPDATE templates SET whatsapp_template_id = '901' RETURNING id")
        await add_template(at.plan.connection, name="first by name", account=ACCOUNT)
        await at.value("UPDATE templates SET sync_time = $1", NOW)
        async with at.database.transaction() as first:
            await first.fetchval("SELECT id FROM templates WHERE id = $1 FOR UPDATE", low)
            waiting = asyncio.create_task(_sync(at))
            await eventually(partial(at.has_waiters, 1), 20)
            told = [["900", "901"], ["PAUSED"] * 2, [""] * 2, [NOW] * 2]
            await first.execute(load("inbound")["move_templates"], *told)  # a deadlock would raise TRANSACTION_CONFLICT
        assert (await waiting).unchanged_count == 2  # what was announced is newer than the list
        assert await at.value("SELECT count(*) FROM templates WHERE state = 'PAUSED'") == 2


async def test_templates_of_which_different_things_are_told_are_taken_in_their_order_too(
    fresh_database_url: str,
) -> None:
    async with desk(fresh_database_url, NUMBERS[:1]) as at:
        low = await at.value("UPDATE templates SET whatsapp_template_id = '901' RETURNING id")
        high = await add_template(at.plan.connection, name="other")
        await at.value("UPDATE templates SET sync_time = $1", NOW)
        moved = {"message_template_id": 901, "new_category": "UTILITY", "previous_category": "MARKETING"}
        async with at.database.transaction() as first:
            await first.fetchval("SELECT id FROM templates WHERE id = $1 FOR UPDATE", low)
            waiting = asyncio.create_task(at.deliver(template("PAUSED"), announced("template_category_update", moved)))
            await eventually(partial(at.has_waiters, 1), 20)
            await at.value("SELECT id FROM templates WHERE id = $1 FOR UPDATE NOWAIT", high)
        await waiting
        told = await at.plan.connection.fetch("SELECT state, template_category FROM templates ORDER BY id")
        assert [tuple(row) for row in told] == [("APPROVED", "UTILITY"), ("PAUSED", "MARKETING")]


async def _sync(at: Desk) -> SyncCounts:
    async with at.store.transaction() as rooms:
        listed = [replace(LISTED, template_name=name) for name in ("first by name", "spring_sale")]
        return await rooms.templates.sync_templates(ACCOUNT, listed, at=NOW)


async def _move(at: Desk, statement: str, arguments: list[object]) -> str:
    async with at.database.transaction() as second:
        return await second.execute(statement, *arguments)


async def _pause(at: Desk, statement: str, arguments: list[object]) -> int:
    async with at.database.transaction() as second:
        return len(await second.fetch(load("pauses")[statement], *arguments))


async def test_two_who_announce_something_of_an_account_wait_for_each_other_and_not_in_a_ring(
    fresh_database_url: str,
) -> None:
    async with desk(fresh_database_url, NUMBERS[:1]) as at:
        await at.value("UPDATE templates SET state = 'PAUSED'")
        (campaign,) = await at.plan.connection.fetch("SELECT id FROM campaigns")
        works = [_announce(at, template("PAUSED"), banned("DISABLE")), _announce(at, banned("DISABLE", seconds=5))]
        await _meet(at, campaign["id"], works)


async def test_who_announces_much_and_who_pauses_at_a_fault_take_the_same_campaigns_in_the_same_order(
    fresh_database_url: str,
) -> None:
    async with desk(fresh_database_url, NUMBERS[:1]) as at:
        # The account's campaign comes before that of the template; the announcement of the template is followed first.
        low = await at.value("SELECT id FROM campaigns")
        template_id = await add_template(at.plan.connection, name="other", state="PAUSED")
        sender_id = await add_sender(at.plan.connection, phone_number_id="101", account="another")
        high = await add_campaign(at.plan.connection, sender_id=sender_id, template_id=template_id)
        await at.value("UPDATE campaigns SET state = 'RUNNING'")
        assert low < high
        fault = _pause(at, "pause_credential_campaigns", [at.plan.sender_id, "", 1, NOW])
        await _meet(at, low, [fault, _announce(at, template("PAUSED"), banned("DISABLE"))])


async def _meet(at: Desk, campaign_id: UUID, works: Sequence[Coroutine[Any, Any, object]]) -> None:
    """Begins one work after the other while a campaign is held, so that each waits for it or for those before."""
    async with at.store.transaction() as holder:
        await holder.campaigns.lock_campaign(campaign_id)
        begun = []
        for work in works:
            begun.append(asyncio.create_task(work))
            await eventually(partial(at.has_waiters, len(begun)), 20)
    await asyncio.gather(*begun)  # a deadlock would raise TRANSACTION_CONFLICT


async def _announce(at: Desk, *bodies: bytes) -> None:
    async with at.store.transaction() as rooms:
        await announce(rooms, *bodies)
