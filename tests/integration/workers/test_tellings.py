"""What a refusal tells about its contact is kept: absent, or no marketing any more, in every campaign."""

import pytest

from core.domain.contacts import MarketingConsent
from tests.helpers.sending import numbers, planned
from tests.helpers.whatsapp import WhatsApp
from tests.helpers.workers import idle_worker, pump_out


@pytest.mark.parametrize("code", [131026, 131021, 130403])
async def test_a_refusal_that_is_the_contacts_own_marks_it_on_the_second_day(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str], code: int
) -> None:
    absent, *others = numbers(3)
    await whatsapp_and_url[0].set_outcome(absent, refuse=code)
    async with planned(fresh_database_url, [absent, *others]) as plan, idle_worker(worker_settings) as worker:
        await plan.connection.execute("UPDATE contacts SET absent_days = 1, absent_date = '2020-01-01'")
        await pump_out(worker, plan.sender_id)
        query = "SELECT array_agg(phone_number) FROM contacts WHERE whatsapp_state = 'ABSENT'"
        assert await plan.connection.fetchval(query) == [absent]
        assert await plan.states() == {"ACCEPTED": 2, "FAILED": 1}


async def test_a_refusal_that_the_contact_stopped_marketing_opts_out_with_proof_and_skips_what_waits(
    fresh_database_url: str, worker_settings: dict[str, str], whatsapp_and_url: tuple[WhatsApp, str]
) -> None:
    (number,) = numbers(1)
    await whatsapp_and_url[0].set_outcome(number, refuse=131050)
    async with planned(fresh_database_url, [number]) as plan, idle_worker(worker_settings) as worker:
        # A later message to the same contact, which must not leave any more.
        await plan.connection.execute(
            """INSERT INTO messages (campaign_id, contact_id, sender_id, occurrence, parameters, not_before_time)
            SELECT campaign_id, contact_id, sender_id, 2, parameters, now() + interval '1 hour' FROM messages"""
        )
        await pump_out(worker, plan.sender_id)
        assert await plan.states() == {"FAILED": 1, "SKIPPED": 1}
        assert await plan.connection.fetchval("SELECT marketing_consent FROM contacts") == MarketingConsent.OPTED_OUT
        proof = "SELECT (count(*), min(source)) FROM consent_events"
        assert await plan.connection.fetchval(proof) == (1, "WHATSAPP_ERROR_131050")
