"""A template that WhatsApp counts as marketing from now on goes to nobody who refused marketing."""

from datetime import timedelta

import pytest

from core.clock import SystemClock
from tests.helpers.receiving import desk
from tests.helpers.webhook_bodies import account_body


@pytest.mark.parametrize(
    ("told", "category"),
    [
        ({"previous_category": "UTILITY"}, "MARKETING"),
        ({"correct_category": "MARKETING"}, "UTILITY"),
        ({"previous_category": "UTILITY", "new_category": "SOMETHING_NEW"}, "UTILITY"),
    ],
)
async def test_a_category_counts_once_it_has_changed(
    fresh_database_url: str, told: dict[str, str], category: str
) -> None:
    async with desk(fresh_database_url, ["+491700000001"]) as at:
        await at.value("UPDATE templates SET template_category = 'UTILITY'")
        template_id = await at.value("SELECT whatsapp_template_id FROM templates")
        event = {"message_template_id": int(template_id), "new_category": "MARKETING", **told}
        later = SystemClock().now() + timedelta(minutes=1)
        await at.deliver(account_body("template_category_update", event, time=int(later.timestamp())))
        assert await at.value("SELECT template_category FROM templates") == category
