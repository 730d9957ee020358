"""Campaigns, templates and senders as a caller sees them: real server, real database, the simulator as WhatsApp."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from chappe.v1 import (
    campaigns_pb2,
    campaigns_service_pb2,
    campaigns_service_pb2_grpc,
    senders_pb2,
    senders_pb2_grpc,
    templates_pb2,
    templates_pb2_grpc,
)
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from core.db import Database
from server.wire import names
from tests.helpers import campaign_rows as rows
from tests.helpers.processes import Processes
from tests.helpers.served import Api, reason_of, serving_to

ACCOUNT, FAST_NUMBER, TOKEN = "200000000000001", "100000000000002", "demo-access-token"
Campaign = campaigns_pb2.Campaign
requests = campaigns_service_pb2
NOBODY = "00000000-0000-7000-8000-000000000001"


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignsApi(Api):
    """The three services, with a key that may do everything, and the database behind them."""

    campaigns: Any
    senders: Any
    templates: Any
    database: Database

    async def sender(self, *, account: str = ACCOUNT) -> Any:
        """Finds or makes the sender of the fast demo number, or one of another account."""
        number = FAST_NUMBER if account == ACCOUNT else "7"
        sender = senders_pb2.Sender(display_name="Shop", phone_number_id=number, whatsapp_account_id=account)
        return await self.call(self.senders.CreateSender, senders_pb2.CreateSenderRequest(sender=sender))

    async def template(self, sender: senders_pb2.Sender, name: str = "spring_sale") -> Any:
        """Syncs templates and finds one."""
        await self.call(self.templates.SyncTemplates, templates_pb2.SyncTemplatesRequest(sender=sender.name))
        request = templates_pb2.ListTemplatesRequest(template_name=name, language_code="en_US")
        return (await self.call(self.templates.ListTemplates, request)).templates[0]

    async def draft(self, **changes: Any) -> Any:
        """Makes a draft that could start, but for what the test changes."""
        sender = await self.sender()
        template = await self.template(sender)
        values = {
            "display_name": "Spring",
            "sender": sender.name,
            "template": template.name,
            "bindings": [body("1", "display_name"), body("2", "city", templates_pb2.Binding.SOURCE_ATTRIBUTE)],
            "audience": campaigns_pb2.Audience(all_contacts=True),
            **changes,
        }
        request = requests.CreateCampaignRequest(campaign=Campaign(**values))
        return await self.call(self.campaigns.CreateCampaign, request)


def body(parameter: str, value: str, source: Any = templates_pb2.Binding.SOURCE_CONTACT_FIELD) -> templates_pb2.Binding:
    component = templates_pb2.Binding.COMPONENT_BODY
    return templates_pb2.Binding(component=component, parameter=parameter, source=source, value=value)


@pytest.fixture(scope="module")
def whatsapp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Processes(directory=tmp_path_factory.mktemp("whatsapp"), settings={}) as processes:
        yield processes.start_simulator()[1]


@pytest.fixture
async def api(
    request: pytest.FixtureRequest, fresh_database_url: str, cache_url: str, queue_url: str, whatsapp: str
) -> AsyncIterator[CampaignsApi]:
    settings = {"whatsapp_base_url": whatsapp, "whatsapp_access_token": TOKEN}
    urls = {"database_url": fresh_database_url, "cache_url": cache_url, "queue_url": queue_url}
    async with serving_to("ADMIN", **settings, **urls, cache_enabled=getattr(request, "param", False)) as at:
        yield CampaignsApi(
            metadata=at.metadata,
            campaigns=campaigns_service_pb2_grpc.CampaignsServiceStub(at.channel),
            senders=senders_pb2_grpc.SendersServiceStub(at.channel),
            templates=templates_pb2_grpc.TemplatesServiceStub(at.channel),
            database=at.database,
        )


async def add_contacts(api: CampaignsApi, count: int) -> None:
    async with api.database.connection() as connection:
        await rows.add_contacts(connection, count)


async def test_a_refreshed_sender_knows_its_quality_its_limit_and_its_speed(api: CampaignsApi) -> None:
    sender = await api.sender()
    assert sender.messages_per_second == 80
    refreshed = await api.call(api.senders.RefreshSender, senders_pb2.RefreshSenderRequest(name=sender.name))
    assert refreshed.messages_per_second == 1000
    assert refreshed.throughput_level == senders_pb2.Sender.THROUGHPUT_LEVEL_HIGH
    assert refreshed.quality == senders_pb2.Sender.QUALITY_GREEN
    assert refreshed.messaging_limit == "TIER_UNLIMITED"
    assert refreshed.verified_name == "Demo Shop News"


async def test_a_sender_whatsapp_does_not_know_is_told_as_such(api: CampaignsApi) -> None:
    sender = await api.sender(account="8")
    request = senders_pb2.RefreshSenderRequest(name=sender.name)
    assert await api.refusal(api.senders.RefreshSender, request) == "WHATSAPP_OBJECT_NOT_FOUND"


async def test_a_token_whatsapp_does_not_take_is_told_as_such(api: CampaignsApi) -> None:
    sender = await api.sender()
    changed = senders_pb2.Sender(name=sender.name, credential_reference="CHAPPE_NO_SUCH_TOKEN")
    await api.call(api.senders.UpdateSender, senders_pb2.UpdateSenderRequest(sender=changed))
    request = templates_pb2.SyncTemplatesRequest(sender=sender.name)
    assert await api.refusal(api.templates.SyncTemplates, request) == "CREDENTIAL_INVALID"


async def test_a_second_sync_changes_nothing_and_the_template_tells_what_to_bind(api: CampaignsApi) -> None:
    sender = await api.sender()
    template = await api.template(sender)
    again = await api.call(api.templates.SyncTemplates, templates_pb2.SyncTemplatesRequest(sender=sender.name))
    assert (again.created_count, again.updated_count, again.deleted_count) == (0, 0, 0)
    assert again.unchanged_count > 2
    assert [(part.parameter, part.example) for part in template.parameters] == [
        ("1", "Ann"),
        ("2", "25%"),
        ("payload", ""),
    ]
    request = templates_pb2.PreviewTemplateRequest(name=template.name)
    shown = (await api.call(api.templates.PreviewTemplate, request)).rendered_message
    assert shown.body == "Hello Ann, our spring sale has begun: 25% off until Sunday."
    assert list(shown.buttons) == ["Stop promotions", "Shop now"]


async def test_a_template_is_shown_as_one_contact_would_see_it(api: CampaignsApi) -> None:
    template = await api.template(await api.sender())
    async with api.database.connection() as connection:
        [contact_id] = await rows.add_contacts(connection, 1)
    request = templates_pb2.PreviewTemplateRequest(
        name=template.name,
        contact=f"contacts/{contact_id}",
        bindings=[body("1", "display_name"), body("2", "discount", templates_pb2.Binding.SOURCE_ATTRIBUTE)],
    )
    reply = await api.call(api.templates.PreviewTemplate, request)
    assert reply.rendered_message.body.startswith("Hello Name 1, ")
    assert [part.parameter for part in reply.missing_parameters] == ["2"]


async def test_a_campaign_is_created_previewed_started_paused_resumed_and_cancelled(api: CampaignsApi) -> None:
    await add_contacts(api, 1000)
    created = await api.draft(messages_per_second=20)
    assert (created.state, created.etag) == (Campaign.STATE_DRAFT, "1")
    preview = await api.call(api.campaigns.PreviewCampaign, requests.PreviewCampaignRequest(name=created.name))
    assert (preview.audience_count, preview.sendable_count, list(preview.problems)) == (1000, 1000, [])
    assert preview.send_duration.seconds == 50
    assert preview.samples[0].body == "Hello Name 1, our spring sale has begun: Rome off until Sunday."
    started = await api.call(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name))
    assert (started.state, started.audience_count) == (Campaign.STATE_RUNNING, 0)
    pause = requests.PauseCampaignRequest(name=created.name, pause_reason="lunch")
    paused = await api.call(api.campaigns.PauseCampaign, pause)
    assert (paused.state, paused.pause_reason) == (Campaign.STATE_PAUSED, "lunch")
    assert await api.refusal(api.campaigns.PauseCampaign, pause) == "CAMPAIGN_NOT_PAUSABLE"
    resumed = await api.call(api.campaigns.ResumeCampaign, requests.ResumeCampaignRequest(name=created.name))
    assert resumed.state == Campaign.STATE_RUNNING
    cancelled = await api.call(api.campaigns.CancelCampaign, requests.CancelCampaignRequest(name=created.name))
    assert cancelled.state == Campaign.STATE_CANCELLED
    assert await api.refusal(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name)) == (
        "CAMPAIGN_NOT_STARTABLE"
    )


async def test_a_start_that_is_repeated_with_its_request_id_gets_the_same_reply(api: CampaignsApi) -> None:
    await add_contacts(api, 1)
    created = await api.draft()
    request = requests.StartCampaignRequest(name=created.name, request_id="start-1")
    first = await api.call(api.campaigns.StartCampaign, request)
    assert await api.call(api.campaigns.StartCampaign, request) == first


async def test_a_preview_shows_what_is_missing_and_what_a_start_would_be_refused_for(api: CampaignsApi) -> None:
    await add_contacts(api, 3)
    created = await api.draft(bindings=[body("2", "shoe_size", templates_pb2.Binding.SOURCE_ATTRIBUTE)])
    preview = await api.call(api.campaigns.PreviewCampaign, requests.PreviewCampaignRequest(name=created.name))
    missing = {part.parameter.parameter: (part.value, part.contact_count) for part in preview.missing_variables}
    assert missing == {"1": ("", 3), "2": ("shoe_size", 3)}
    assert [(skip.reason, skip.message_count) for skip in preview.skips] == [("MISSING_VARIABLE", 3)]
    assert [problem.reason for problem in preview.problems] == ["BINDING_MISSING"]
    request = requests.StartCampaignRequest(name=created.name)
    assert await api.refusal(api.campaigns.StartCampaign, request) == "BINDING_MISSING"
    read = await api.call(api.campaigns.GetCampaign, requests.GetCampaignRequest(name=created.name))
    assert read.state == Campaign.STATE_DRAFT


async def test_a_campaign_for_nobody_does_not_start(api: CampaignsApi) -> None:
    created = await api.draft()
    request = requests.StartCampaignRequest(name=created.name)
    assert await api.refusal(api.campaigns.StartCampaign, request) == "AUDIENCE_EMPTY"


async def test_a_paused_sender_starts_nothing_now_but_lets_a_start_be_planned(api: CampaignsApi) -> None:
    await add_contacts(api, 1)
    created = await api.draft()
    await api.call(api.senders.PauseSender, senders_pb2.PauseSenderRequest(name=created.sender))
    request = requests.StartCampaignRequest(name=created.name)
    assert await api.refusal(api.campaigns.StartCampaign, request) == "SENDER_PAUSED"
    later = requests.StartCampaignRequest(name=created.name, schedule_time=Timestamp(seconds=4_000_000_000))
    planned = await api.call(api.campaigns.StartCampaign, later)
    assert (planned.state, planned.schedule_time.seconds) == (Campaign.STATE_SCHEDULED, 4_000_000_000)
    past = requests.StartCampaignRequest(name=created.name, schedule_time=Timestamp(seconds=1))
    assert await api.refusal(api.campaigns.StartCampaign, past) == "SCHEDULE_TIME_PAST"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": f"senders/{NOBODY}"}, "SENDER_NOT_FOUND"),
        ({"template": f"templates/{NOBODY}"}, "TEMPLATE_NOT_FOUND"),
        ({"bindings": [body("9", "display_name")]}, "BINDING_INVALID"),
        ({"audience": campaigns_pb2.Audience(categories=[f"categories/{NOBODY}"])}, "CATEGORY_NOT_FOUND"),
    ],
)  # fmt: skip
async def test_a_campaign_that_names_what_is_not_there_is_refused(
    api: CampaignsApi, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.draft(**changes)
    assert reason_of(refused.value) == reason


async def test_a_template_of_another_account_is_refused(api: CampaignsApi) -> None:
    other = await api.sender(account="8")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await api.draft(sender=other.name)
    assert reason_of(refused.value) == "TEMPLATE_OF_OTHER_ACCOUNT"


async def test_only_named_fields_change_and_a_stale_etag_changes_nothing(api: CampaignsApi) -> None:
    created = await api.draft()
    changed = Campaign(name=created.name, display_name="Summer", etag=created.etag)
    updated = await api.call(api.campaigns.UpdateCampaign, requests.UpdateCampaignRequest(campaign=changed))
    assert (updated.display_name, updated.bindings, updated.etag) == ("Summer", created.bindings, "2")
    stale = requests.UpdateCampaignRequest(campaign=changed)
    assert await api.refusal(api.campaigns.UpdateCampaign, stale) == "ETAG_MISMATCH"
    mask = FieldMask(paths=["bindings", "audience"])
    emptied = requests.UpdateCampaignRequest(campaign=Campaign(name=created.name), update_mask=mask)
    updated = await api.call(api.campaigns.UpdateCampaign, emptied)
    assert (list(updated.bindings), updated.audience.all_contacts, updated.display_name) == ([], False, "Summer")


async def test_a_running_campaign_takes_another_rate_but_no_other_template(api: CampaignsApi) -> None:
    await add_contacts(api, 1)
    created = await api.draft()
    await api.call(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name))
    slower = Campaign(name=created.name, messages_per_second=1)
    updated = await api.call(api.campaigns.UpdateCampaign, requests.UpdateCampaignRequest(campaign=slower))
    assert updated.messages_per_second == 1
    other = requests.UpdateCampaignRequest(campaign=Campaign(name=created.name, template=created.template))
    assert await api.refusal(api.campaigns.UpdateCampaign, other) == "CAMPAIGN_NOT_EDITABLE"
    delete = requests.DeleteCampaignRequest(name=created.name)
    assert await api.refusal(api.campaigns.DeleteCampaign, delete) == "CAMPAIGN_NOT_DELETABLE"


async def test_campaigns_are_listed_newest_first_page_by_page(api: CampaignsApi) -> None:
    first = await api.draft(display_name="First")
    for name in ("Second", "Third"):
        campaign = Campaign(display_name=name, sender=first.sender, template=first.template)
        await api.call(api.campaigns.CreateCampaign, requests.CreateCampaignRequest(campaign=campaign))
    page = await api.call(api.campaigns.ListCampaigns, requests.ListCampaignsRequest(page_size=2))
    assert [campaign.display_name for campaign in page.campaigns] == ["Third", "Second"]
    rest = requests.ListCampaignsRequest(page_size=2, page_token=page.next_page_token)
    last = await api.call(api.campaigns.ListCampaigns, rest)
    assert [campaign.display_name for campaign in last.campaigns] == ["First"]
    assert last.next_page_token == ""
    running = requests.ListCampaignsRequest(state=Campaign.STATE_RUNNING)
    assert not (await api.call(api.campaigns.ListCampaigns, running)).campaigns


async def test_a_watch_shows_the_campaign_at_once_then_its_changes_and_ends_with_it(api: CampaignsApi) -> None:
    await add_contacts(api, 3)
    created = await api.draft()
    await api.call(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name))
    watch = api.campaigns.WatchCampaign(requests.WatchCampaignRequest(name=created.name), metadata=api.metadata)
    first = await watch.read()
    assert (first.campaign.state, first.waiting_reason) == (Campaign.STATE_RUNNING, "EXPANDING")
    assert first.stats.counts.message_count == 0
    await accept_messages(api, created.name, count=2, waiting=1)
    second = await watch.read()
    assert (second.stats.counts.accepted_count, second.stats.counts.waiting_count) == (2, 1)
    assert second.accepted_per_second > 0
    await api.call(api.campaigns.CancelCampaign, requests.CancelCampaignRequest(name=created.name))
    last = second
    while (element := await watch.read()) is not grpc.aio.EOF:
        last = element
    assert last.campaign.state == Campaign.STATE_CANCELLED
    assert await watch.code() is grpc.StatusCode.OK


async def test_a_watch_tells_what_keeps_a_campaign_from_sending(api: CampaignsApi) -> None:
    await add_contacts(api, 1)
    created = await api.draft()
    await api.call(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name))
    await accept_messages(api, created.name, count=0, waiting=1)
    assert await waiting_reason(api, created.name) == ""
    async with api.database.connection() as connection:
        await connection.execute("UPDATE messages SET not_before_time = now() + interval '1 hour'")
    assert await waiting_reason(api, created.name) == "RETRIES_WAITING"
    await api.call(api.senders.PauseSender, senders_pb2.PauseSenderRequest(name=created.sender))
    assert await waiting_reason(api, created.name) == "SENDER_PAUSED"
    await api.call(api.campaigns.PauseCampaign, requests.PauseCampaignRequest(name=created.name))
    assert await waiting_reason(api, created.name) == "PAUSED"


async def test_a_campaign_that_is_not_there_cannot_be_watched(api: CampaignsApi) -> None:
    watch = api.campaigns.WatchCampaign(
        requests.WatchCampaignRequest(name=f"campaigns/{NOBODY}"), metadata=api.metadata
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await watch.read()
    assert reason_of(refused.value) == "CAMPAIGN_NOT_FOUND"


async def waiting_reason(api: CampaignsApi, name: str) -> str:
    watch = api.campaigns.WatchCampaign(requests.WatchCampaignRequest(name=name), metadata=api.metadata)
    seen = await watch.read()
    watch.cancel()
    return str(seen.waiting_reason)


async def accept_messages(api: CampaignsApi, name: str, *, count: int, waiting: int) -> None:
    """Does what workers would have done."""
    campaign_id = names.parse_campaign(name)
    async with api.database.transaction() as connection:
        sender_id = await connection.fetchval("SELECT sender_id FROM campaigns WHERE id = $1", campaign_id)
        states = ["SENDING"] * count + ["PENDING"] * waiting
        await rows.add_messages(connection, campaign_id, sender_id=sender_id, states=states)
        await connection.execute("UPDATE messages SET state = 'ACCEPTED', accept_time = now() WHERE state = 'SENDING'")


@pytest.mark.parametrize("api", [True], indirect=True, ids=["cached"])
@pytest.mark.parametrize(("source", "state"), [("TEMPLATE", Campaign.STATE_RUNNING), ("USER", Campaign.STATE_PAUSED)])
async def test_a_sync_lets_run_on_what_a_template_paused_that_is_approved_again(
    api: CampaignsApi, source: str, state: Campaign.State.ValueType
) -> None:
    await add_contacts(api, 1)
    created = await api.draft()
    await api.call(api.campaigns.StartCampaign, requests.StartCampaignRequest(name=created.name))
    statement = "UPDATE campaigns SET state = 'PAUSED', pause_source = $1, pause_code = 132015"
    async with api.database.connection() as connection:
        await connection.execute(statement, source)
    request = requests.GetCampaignRequest(name=created.name)
    assert (await api.call(api.campaigns.GetCampaign, request)).state == Campaign.STATE_PAUSED  # and is kept
    sync = templates_pb2.SyncTemplatesRequest(sender=created.sender, request_id="once")
    changed = {"campaigns", created.name} if state == Campaign.STATE_RUNNING else set[str]()
    for _ in range(2):  # who asks again, since the answer was lost, is told of the same changes
        syncing = api.templates.SyncTemplates(sync, metadata=api.metadata, timeout=10)
        await syncing
        assert (await api.call(api.campaigns.GetCampaign, request)).state == state
        marks = str(dict(await syncing.trailing_metadata())["chappe-generations"])
        assert {mark.partition("=")[0] for mark in marks.split(",")} == {"templates", *changed}
