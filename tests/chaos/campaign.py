"""The campaign of a run: contacts imported, a sender as fast as planned, a campaign that sends again on evidence."""

from dataclasses import dataclass
from uuid import UUID

from chappe_client import Chappe, v1

from tests.chaos.plans import Plan
from tests.helpers.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A campaign that was started: who should get it (digits), and how fast it may go."""

    campaign: v1.Campaign
    contacts: frozenset[str]
    messages_per_second: float
    judges_pace: bool

    @property
    def campaign_id(self) -> UUID:
        """Returns the campaign's id."""
        return UUID(self.campaign.name.partition("/")[2])


async def start(client: Chappe, plan: Plan) -> Running:
    """Imports the contacts and starts a campaign to all of them."""
    walk = await Walk.begin(client)
    sender = v1.Sender(name=walk.sender.name, messages_per_second=plan.messages_per_second)
    await client.senders.update_sender(v1.UpdateSenderRequest(sender=sender))
    numbers = [f"+3361{number:07d}" for number in range(plan.messages)]
    draft = await walk.create_campaign(await walk.import_numbers(numbers))
    changed = v1.Campaign(name=draft.name, unconfirmed_policy=v1.CampaignUnconfirmedPolicy.RESEND)
    campaign = await client.campaigns.update_campaign(v1.UpdateCampaignRequest(campaign=changed))
    await walk.start(campaign)
    return Running(
        campaign=campaign,
        contacts=frozenset(number.removeprefix("+") for number in numbers),
        messages_per_second=plan.messages_per_second,
        judges_pace=plan.judges_pace,
    )
