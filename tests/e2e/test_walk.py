"""The walk of a campaign as a caller sees it, from a file of contacts to statistics that equal the truth."""

from collections import Counter

from chappe_client import Chappe, v1

from cli import doors
from cli.truth import compare
from stack.stack import Stack
from tests.helpers.eventually import eventually
from tests.helpers.walk import SENDER_ID, Walk
from tests.helpers.whatsapp import WhatsApp

THOUSAND = [f"+3363998{number:04d}" for number in range(2000, 3000)]


async def test_a_campaign_of_a_thousand_ends_with_counters_equal_to_rows_equal_to_the_truth(
    stack: Stack, client: Chappe, walk: Walk, whatsapp: WhatsApp
) -> None:
    category = await walk.import_numbers(THOUSAND)
    campaign = await walk.create_campaign(category)
    preview = await client.campaigns.preview_campaign(v1.PreviewCampaignRequest(name=campaign.name))
    assert preview.sendable_count == 1000

    await walk.start(campaign)
    await eventually(lambda: walk.is_completed(campaign), timeout=60, message="the campaign completes")
    await eventually(lambda: _all_read(walk, campaign), timeout=60, message="every receipt is applied")

    counts = await walk.counts(campaign)
    rows = Counter(message.state for message in await walk.messages(campaign))
    assert rows == {v1.MessageState.READ: 1000}
    assert counts.message_count == counts.accepted_count == counts.delivered_count == counts.read_count == 1000
    assert await whatsapp.accepted_count() == 1000
    assert await whatsapp.doubled_count() == 0
    assert (await compare(client, campaign.name, stack.simulator_url)).differences == []


async def test_a_reply_is_attributed_and_stop_is_honoured(
    stack: Stack, key: str, walk: Walk, whatsapp: WhatsApp, client: Chappe
) -> None:
    number = "+33639980201"
    category = await walk.import_numbers([number])
    first = await walk.create_campaign(category)
    await walk.start(first)
    await eventually(lambda: _counted(walk, first, "read_count", 1), timeout=20)
    [message] = await walk.messages(first)

    await whatsapp.receive(
        **{
            "phone_number_id": SENDER_ID,
            "from": number.removeprefix("+"),
            "body": "STOP",
            "context": message.whatsapp_message_id,
        }
    )
    await eventually(lambda: _has_opted_out(stack, key, message.contact), timeout=10, message="the opt-out is recorded")
    listed = await client.messages.list_interactions(v1.ListInteractionsRequest(parent=first.name))
    assert [interaction.message for interaction in listed.interactions] == [message.name]

    second = await walk.create_campaign(category)
    await walk.start(second)
    await eventually(lambda: _counted(walk, second, "skipped_count", 1), timeout=20)
    assert await whatsapp.accepted_count() == 1


async def test_the_three_ways_through_envoy_give_one_answer(stack: Stack, key: str, walk: Walk) -> None:
    await walk.import_numbers(["+33639980301"])
    by_grpc = await doors.by_grpc(stack.envoy_url.removeprefix("http://"), key)
    assert by_grpc == await doors.by_grpc_web(stack.envoy_url, key) == await doors.by_json(stack.envoy_url, key) > 0


async def _all_read(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).read_count == 1000


async def _counted(walk: Walk, campaign: v1.Campaign, name: str, expected: int) -> bool:
    return bool(getattr(await walk.counts(campaign), name) == expected)


async def _has_opted_out(stack: Stack, key: str, contact: str) -> bool:
    """What workers learn outdates no cached contact before its time, so this looks past the cache."""
    async with Chappe(stack.api_address, key=key, cached=False) as client:
        found = await client.contacts.get_contact(v1.GetContactRequest(name=contact))
    return found.marketing_consent == v1.ContactMarketingConsent.OPTED_OUT
