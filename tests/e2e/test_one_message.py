"""One message through every room, and the worker killed at the worst moment: after the POST, before the settle."""

from chappe_client import v1

from stack.stack import Stack
from tests.helpers.eventually import eventually
from tests.helpers.walk import Walk
from tests.helpers.whatsapp import WhatsApp


async def test_a_message_whose_worker_was_killed_before_settling_is_sent_once_and_accounted_for(
    stack: Stack, walk: Walk, whatsapp: WhatsApp
) -> None:
    number = "+33639980101"
    await whatsapp.set_outcome(number, ending="silence", statuses=["sent", "delivered", "read"])
    await whatsapp.hold_webhooks()
    campaign = await walk.create_campaign(await walk.import_numbers([number]))

    await walk.start(campaign)
    await eventually(lambda: _has_accepted(whatsapp, 1), message="WhatsApp accepts the message")
    worker = stack.processes["worker-1"]
    worker.kill()
    worker.start()
    await eventually(lambda: _is_in_doubt(walk, campaign), timeout=15, message="the message is in doubt")
    await whatsapp.resume_webhooks()

    await eventually(lambda: _is_read(walk, campaign), timeout=20, message="the receipt settles the message")
    await eventually(lambda: walk.is_completed(campaign), message="the campaign completes")
    assert await whatsapp.accepted_count() == 1
    [message] = await walk.messages(campaign)
    assert message.state == v1.MessageState.READ
    assert message.whatsapp_message_id


async def _has_accepted(whatsapp: WhatsApp, count: int) -> bool:
    return await whatsapp.accepted_count() == count


async def _is_in_doubt(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).unconfirmed_count == 1


async def _is_read(walk: Walk, campaign: v1.Campaign) -> bool:
    return (await walk.counts(campaign)).read_count == 1
