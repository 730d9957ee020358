"""What WhatsApp announces of a template is shown to whoever asks, however long the reply before it may be kept."""

from collections.abc import AsyncIterator

import pytest
from chappe_client import v1

from tests.helpers.eventually import eventually
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp

TEMPLATE = "spring_sale:en_US"


@pytest.fixture
async def template(whatsapp: WhatsApp) -> AsyncIterator[str]:
    """A template of the simulated WhatsApp, approved again afterwards."""
    yield TEMPLATE
    await whatsapp.change_template(TEMPLATE, status="APPROVED")


async def test_a_template_is_shown_as_paused_to_who_was_just_shown_a_kept_reply_that_it_is_approved(
    walk: Walk, whatsapp: WhatsApp, template: str
) -> None:
    await eventually(lambda: _is_kept(walk, "APPROVED"), message="the reply is kept")
    await whatsapp.change_template(template, status="PAUSED")
    await eventually(lambda: _is_shown(walk, "PAUSED"), 10, message="it is shown as paused")
    await whatsapp.change_template(template, status="APPROVED")
    await eventually(lambda: _is_shown(walk, "APPROVED"), 10, message="it is shown as approved")


async def _is_shown(walk: Walk, state: str) -> bool:
    template = await walk.client.templates.get_template(v1.GetTemplateRequest(name=walk.template.name))
    return template.state is v1.TemplateState[state]


async def _is_kept(walk: Walk, state: str) -> bool:
    """Tells whether it is shown in that state, and from the cache."""
    before = await _hits(walk)
    return await _is_shown(walk, state) and await _hits(walk) > before


async def _hits(walk: Walk) -> int:
    methods = (await walk.client.stats.get_cache_stats(v1.GetCacheStatsRequest())).methods
    return sum(each.hit_count for each in methods if each.method.endswith("/GetTemplate"))
