"""The steps of a campaign as a caller takes them, through the SDK."""

from dataclasses import dataclass
from itertools import count

from chappe_client import AlreadyExists, Chappe, v1
from chappe_client.imports import ImportOptions

SENDER_ID = "100000000000002"
ACCOUNT_ID = "200000000000001"
FINAL = (v1.CampaignState.COMPLETED, v1.CampaignState.CANCELLED, v1.CampaignState.FAILED)
_NAMES = count(1)


@dataclass(frozen=True, slots=True)
class Walk:
    """Takes steps for a test; every test has contacts, categories and campaigns of its own."""

    client: Chappe
    sender: v1.Sender
    template: v1.Template

    @classmethod
    async def begin(cls, client: Chappe) -> "Walk":
        """Finds or makes the fast sender and syncs its templates."""
        sender = await add_sender(client, SENDER_ID)
        await client.templates.sync_templates(v1.SyncTemplatesRequest(sender=sender.name))
        request = v1.ListTemplatesRequest(template_name="spring_sale", language_code="en_US")
        template = (await client.templates.list_templates(request)).templates[0]
        return cls(client, sender, template)

    async def import_numbers(self, numbers: list[str]) -> str:
        """Imports contacts into a category of their own; returns its name."""
        category = f"Category {next(_NAMES)} of this run"
        rows = "".join(f"{number},Contact\n" for number in numbers)
        body = f"phone_number,display_name\n{rows}".encode()
        summary = v1.ImportContactsResponseSummary()
        async for element in self.client.import_contacts(body, ImportOptions(categories=[category])):
            summary = element.summary or summary
        assert summary.totals is not None
        assert summary.totals.rejected_count == 0
        return summary.categories[0]

    def bindings(self) -> list[v1.Binding]:
        """Binds every parameter of the template to a text."""
        return [
            v1.Binding(
                component=each.component, index=each.index, parameter=each.parameter,
                source=v1.BindingSource.LITERAL, value="25",
            )
            for each in self.template.parameters
        ]  # fmt: skip

    async def create_campaign(self, category: str, *, per_second: float = 0) -> v1.Campaign:
        """Makes a draft with every parameter bound, at a pace of its own if one is given."""
        campaign = v1.Campaign(
            display_name=f"Campaign {next(_NAMES)}", sender=self.sender.name, template=self.template.name,
            bindings=self.bindings(), audience=v1.Audience(categories=[category]), messages_per_second=per_second,
        )  # fmt: skip
        return await self.client.campaigns.create_campaign(v1.CreateCampaignRequest(campaign=campaign))

    async def start(self, campaign: v1.Campaign) -> v1.Campaign:
        """Starts a campaign."""
        return await self.client.campaigns.start_campaign(v1.StartCampaignRequest(name=campaign.name))

    async def watch_once(self, campaign: v1.Campaign) -> v1.WatchCampaignResponse:
        """Returns one fresh look at a campaign; watching is never cached."""
        async for seen in self.client.campaigns.watch_campaign(v1.WatchCampaignRequest(name=campaign.name)):
            return seen
        raise AssertionError("the watch ended without a word")

    async def counts(self, campaign: v1.Campaign) -> v1.MessageCounts:
        """Returns the campaign's counts of this moment."""
        seen = await self.watch_once(campaign)
        assert seen.stats is not None
        return seen.stats.counts or v1.MessageCounts()

    async def is_completed(self, campaign: v1.Campaign) -> bool:
        """Tells whether the campaign has nothing left to send."""
        seen = await self.watch_once(campaign)
        return seen.campaign is not None and seen.campaign.state == v1.CampaignState.COMPLETED

    async def messages(self, campaign: v1.Campaign) -> list[v1.Message]:
        """Returns all messages of a campaign."""
        request = v1.ListMessagesRequest(parent=campaign.name, page_size=1000)
        return [message async for message in self.client.messages.list_all_messages(request)]


async def add_sender(client: Chappe, phone_number_id: str) -> v1.Sender:
    """Makes one of the account's numbers a sender, unless it is one, with what WhatsApp says of it now."""
    sender = v1.Sender(phone_number_id=phone_number_id, whatsapp_account_id=ACCOUNT_ID, display_name="Test shop")
    try:
        made = await client.senders.create_sender(v1.CreateSenderRequest(sender=sender))
    except AlreadyExists:
        known = (await client.senders.list_senders(v1.ListSendersRequest())).senders
        made = next(one for one in known if one.phone_number_id == phone_number_id)
    return await client.senders.refresh_sender(v1.RefreshSenderRequest(name=made.name))
