"""A single message and a campaign on one number of 80 messages a second: who waits for whom."""

from chappe_client import Chappe, v1

from tests.helpers.eventually import eventually
from tests.helpers.rivals import OTHER_SENDER
from tests.helpers.sending import CLOCK
from tests.helpers.walk import Walk, add_sender
from tests.helpers.whatsapp import WhatsApp

_MANY = [f"+33637{number:06d}" for number in range(1500)]
_PEOPLE = [f"+3363698{number:04d}" for number in range(15)]


async def test_single_messages_overtake_a_running_campaign_and_reach_whatsapp_within_a_second(
    client: Chappe, walk: Walk, whatsapp: WhatsApp
) -> None:
    sender = await add_sender(client, OTHER_SENDER)
    assert sender.messages_per_second == 80
    slow = Walk(client, sender, walk.template)
    campaign = await slow.create_campaign(await slow.import_numbers(_MANY))
    await slow.start(campaign)
    await eventually(lambda: _has_accepted(whatsapp, 100), timeout=20, message="the campaign sends")

    waits = [await _seconds_to_whatsapp(slow, whatsapp, number) for number in _PEOPLE]

    assert (await slow.counts(campaign)).waiting_count > 300
    assert sorted(waits)[len(waits) // 2] < 1, waits
    assert max(waits) < 1.5, waits
    await client.campaigns.cancel_campaign(v1.CancelCampaignRequest(name=campaign.name))
    await eventually(lambda: _is_still(slow, campaign), timeout=20, message="nothing of it is on its way any more")


async def _has_accepted(whatsapp: WhatsApp, count: int) -> bool:
    return await whatsapp.accepted_count() >= count


async def _is_still(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).waiting_count == 0


async def _seconds_to_whatsapp(walk: Walk, whatsapp: WhatsApp, number: str) -> float:
    """Returns how long it takes from before the call until WhatsApp has taken the message."""
    content = v1.SendMessageRequestTemplateContent(template=walk.template.name, bindings=walk.bindings())
    request = v1.SendMessageRequest(sender=walk.sender.name, phone_number=number, template_content=content)
    began = CLOCK.monotonic()
    await walk.client.messages.send_message(request)
    await eventually(lambda: whatsapp.accepted(to=number), timeout=30)
    return CLOCK.monotonic() - began
