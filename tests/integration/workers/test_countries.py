"""A country that WhatsApp closes to an account: after one refusal its people are not called, the others sent to."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.domain.errors import WrongState
from core.whatsapp.errors import words
from server.services.campaign_retries import retry_failed_messages
from tests.helpers.receiving import NOW, desk
from tests.helpers.sending import ACCOUNT, Plan, numbers, planned
from tests.helpers.webhook_bodies import body, status
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker, pump_out
from workers.assembly import Worker
from workers.tasks.consequences import heed_countries

GERMANS = numbers(40)
FRENCH = "+33612345678"
CLOSED = 130497
COUNTRIES = "SELECT array_agg(whatsapp_account_id || ' ' || country_code) FROM restricted_countries"


@pytest.fixture
async def plan(fresh_database_url: str) -> AsyncIterator[Plan]:
    async with planned(fresh_database_url, [*GERMANS, FRENCH], per_second=5) as made:
        yield made


@pytest.fixture
async def worker(worker_settings: dict[str, str]) -> AsyncIterator[Worker]:
    async with idle_worker(worker_settings) as made:
        yield made


async def close(plan: Plan, *, account: str = ACCOUNT, hours: int = 0) -> None:
    await plan.connection.execute(
        "INSERT INTO restricted_countries VALUES ($1, 'DE', now() - make_interval(hours => $2))", account, hours
    )


async def test_a_refusal_says_of_all_who_live_there_that_they_are_not_sent_to(
    plan: Plan, worker: Worker, whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    for number in GERMANS:
        await whatsapp_and_url[0].set_outcome(number, refuse=CLOSED)
    await pump_out(worker, plan.sender_id)
    states = await plan.states()
    assert states["ACCEPTED"] == 1
    assert states["FAILED"] == len(GERMANS)
    called = await plan.value("count(*) FILTER (WHERE reason = 'REJECTED')")
    assert called < len(GERMANS) / 2  # those that were on their way before the first answer was written
    assert await plan.value("count(*) FILTER (WHERE reason = 'COUNTRY_RESTRICTED')") == len(GERMANS) - called
    assert await plan.connection.fetchval(COUNTRIES) == [f"{ACCOUNT} DE"]


async def test_what_is_known_to_be_closed_is_not_called_at_all(plan: Plan, worker: Worker) -> None:
    await close(plan)
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": 1, "FAILED": len(GERMANS)}
    told = "array_agg(DISTINCT (reason, error_code, error_title)) FILTER (WHERE state = 'FAILED')"
    assert await plan.value(told) == [("COUNTRY_RESTRICTED", CLOSED, words(CLOSED))]


async def test_once_the_country_is_open_again_a_retry_by_its_code_reaches_all_who_were_not_called(
    plan: Plan, worker: Worker
) -> None:
    await close(plan)
    await pump_out(worker, plan.sender_id)
    with pytest.raises(WrongState):  # unasked, what another try cannot help is left alone
        await _retry(plan, worker)
    assert await _retry(plan, worker, CLOSED) == len(GERMANS)
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": 1, "FAILED": len(GERMANS)}
    await plan.connection.execute("UPDATE restricted_countries SET restrict_time = now() - interval '25 hours'")
    await plan.connection.execute("UPDATE senders SET messages_per_second = 100")
    assert await _retry(plan, worker, CLOSED) == len(GERMANS)
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": len(GERMANS) + 1}


@pytest.mark.parametrize(("account", "hours"), [("another", 0), (ACCOUNT, 25)])
async def test_another_accounts_countries_and_those_of_yesterday_are_open(
    plan: Plan, worker: Worker, account: str, hours: int
) -> None:
    await close(plan, account=account, hours=hours)
    await plan.connection.execute("UPDATE senders SET messages_per_second = 100")
    await pump_out(worker, plan.sender_id)
    assert await plan.states() == {"ACCEPTED": len(GERMANS) + 1}


async def test_a_receipt_closes_a_country_too_and_one_told_again_keeps_it_so_no_longer(
    fresh_database_url: str,
) -> None:
    async with desk(fresh_database_url, numbers(2)) as at:
        for ref, hours in zip(await at.sent(), (0, 0.5), strict=True):
            told = status("failed", NOW + timedelta(hours=hours), wamid=f"wamid.{ref.message_id}", ref=ref, code=CLOSED)
            applied = await at.deliver(body(statuses=[told]))
            await heed_countries(at.store, applied.moved.failures())
        assert await at.value(COUNTRIES) == [f"{ACCOUNT} DE"]
        assert await at.value("SELECT restrict_time FROM restricted_countries") == NOW


async def _retry(plan: Plan, worker: Worker, *codes: int) -> int:
    async with worker.engine.store.transaction() as rooms:
        now = worker.engine.clock.now()
        retried = await retry_failed_messages(rooms, plan.campaign_id, error_codes=codes, at=now)
    return retried.message_count
