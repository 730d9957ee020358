"""A pause and a cancellation take hold within a second, by what the simulated WhatsApp accepted."""

from chappe_client import v1

from tests.helpers.eventually import eventually
from tests.helpers.sending import CLOCK
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp

_MANY = [f"+33635{number:06d}" for number in range(6000)]


async def test_nothing_is_accepted_later_than_a_second_after_a_pause_or_a_cancellation(
    walk: Walk, whatsapp: WhatsApp
) -> None:
    campaigns = walk.client.campaigns
    campaign = await walk.create_campaign(await walk.import_numbers(_MANY))
    await walk.start(campaign)
    await eventually(lambda: _has_accepted(whatsapp, 200), timeout=20, message="the campaign sends")

    await campaigns.pause_campaign(v1.PauseCampaignRequest(name=campaign.name))
    paused_count = await _accepted_in_the_end(whatsapp)
    assert paused_count < len(_MANY)
    # Resumed and paused again at once, it is paused; resumed at once after a pause, it runs.
    await campaigns.resume_campaign(v1.ResumeCampaignRequest(name=campaign.name))
    await campaigns.pause_campaign(v1.PauseCampaignRequest(name=campaign.name))
    await campaigns.resume_campaign(v1.ResumeCampaignRequest(name=campaign.name))
    await eventually(lambda: _has_accepted(whatsapp, paused_count + 200), timeout=20, message="it sends on")

    await campaigns.cancel_campaign(v1.CancelCampaignRequest(name=campaign.name))
    accepted_count = await _accepted_in_the_end(whatsapp)
    await eventually(lambda: _is_over(walk, campaign, accepted_count), timeout=30, message="the rest is cancelled")
    assert await whatsapp.doubled_count() == 0


async def _accepted_in_the_end(whatsapp: WhatsApp) -> int:
    """Returns how many were accepted a second from now, after it has seen that no more are two seconds later.

    What left within the second may be on its way for as long as the slowest call of ours is meanwhile.
    """
    now, last = await whatsapp.now(), CLOCK.monotonic() + 3
    trips = list[float]()

    async def travel() -> bool:
        begun = CLOCK.monotonic()
        await whatsapp.now()
        trips.append(CLOCK.monotonic() - begun)
        return begun > last

    await eventually(travel, timeout=20)
    times = [row["accept_time"] for row in await whatsapp.accepted()]
    assert max(times) <= now + 1 + max(trips)
    return len(times)


async def _has_accepted(whatsapp: WhatsApp, count: int) -> bool:
    return await whatsapp.accepted_count() >= count


async def _is_over(walk: Walk, campaign: v1.Campaign, accepted_count: int) -> bool:
    counts = await walk.counts(campaign)
    states = {each.state: each.message_count for each in counts.states if each.message_count}
    expected = {v1.MessageState.CANCELLED: len(_MANY) - accepted_count}
    found = {state: states.get(state, 0) for state in expected}
    assert (found, counts.accepted_count) == (expected, accepted_count)
    return True
