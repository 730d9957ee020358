"""CampaignsService: prepares campaigns, runs them and shows how they go."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from chappe.v1 import campaigns_pb2, campaigns_service_pb2
from chappe.v1.campaigns_service_pb2_grpc import CampaignsServiceServicer
from google.protobuf.empty_pb2 import Empty

from core.clock import Clock
from core.domain.campaigns import (
    LIVE_FIELDS,
    SETTABLE_FIELDS,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    PauseSource,
    check_editable,
)
from core.domain.errors import InvalidArgument, Violation
from core.pace import Pace
from core.queue.wakeups import Wakeups
from core.repositories.campaigns import refuse_etag, refuse_unknown
from core.repositories.rooms import Rooms, Store
from server.mutations import Mutations
from server.services.campaign_drafts import checked_draft, find_start_problems, preview_campaign
from server.services.campaign_retries import check_campaign_template, retry_failed_messages
from server.services.campaign_watch import watch_campaign
from server.wire import campaign_previews, names, times
from server.wire import campaigns as wire
from server.wire.field_mask import changed_fields
from server.wire.page_token import Page, cut, read_page


class CampaignsService(CampaignsServiceServicer):
    """Serves campaigns; what a verb may leave stands in the domain, and in the statement that it runs."""

    def __init__(self, *, store: Store, mutations: Mutations, wakeups: Wakeups, pace: Pace, clock: Clock) -> None:
        """Takes where campaigns are kept, the bell rung when there is work, and the pace that a watch tells of."""
        self._store = store
        self._mutations = mutations
        self._wakeups = wakeups
        self._pace = pace
        self._clock = clock

    async def GetCampaign(
        self, request: campaigns_service_pb2.GetCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Returns one campaign."""
        async with self._store.connection() as rooms:
            return wire.campaign(await rooms.campaigns.get_campaign(names.parse_campaign(request.name)))

    async def ListCampaigns(
        self, request: campaigns_service_pb2.ListCampaignsRequest, context: object
    ) -> campaigns_service_pb2.ListCampaignsResponse:
        """Returns one page of campaigns, newest first."""
        page = read_page(request)
        async with self._store.connection() as rooms:
            found = await _list(rooms, request, page)
        shown, token = cut(request, page, found)
        return campaigns_service_pb2.ListCampaignsResponse(
            campaigns=[wire.campaign(campaign) for campaign in shown], next_page_token=token
        )

    async def CreateCampaign(
        self, request: campaigns_service_pb2.CreateCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Creates a draft."""

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            draft = await checked_draft(rooms, wire.read_campaign(request.campaign))
            return wire.campaign(await rooms.campaigns.create_campaign(draft))

        return await self._mutations.run(request, campaigns_pb2.Campaign, apply)

    async def UpdateCampaign(
        self, request: campaigns_service_pb2.UpdateCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Changes a draft, or the name and the rate of any campaign."""
        campaign_id = names.parse_campaign(request.campaign.name)
        changed = changed_fields(request.update_mask, request.campaign, SETTABLE_FIELDS)

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            current = await rooms.campaigns.lock_campaign(campaign_id)
            _check_etag(current, wire.read_etag(request.campaign.etag))
            draft = wire.merge_campaign(current, request.campaign, changed=changed)
            return wire.campaign(await self._update(rooms, current, draft, changed=changed))

        return await self._mutations.run(request, campaigns_pb2.Campaign, apply)

    async def DeleteCampaign(self, request: campaigns_service_pb2.DeleteCampaignRequest, context: object) -> Empty:
        """Deletes a draft."""
        campaign_id = names.parse_campaign(request.name)

        async def apply(rooms: Rooms) -> Empty:
            await rooms.campaigns.delete_campaign(campaign_id, revision=wire.read_etag(request.etag))
            return Empty()

        return await self._mutations.run(request, Empty, apply)

    async def PreviewCampaign(
        self, request: campaigns_service_pb2.PreviewCampaignRequest, context: object
    ) -> campaigns_service_pb2.PreviewCampaignResponse:
        """Shows what a start would do."""
        async with self._store.connection() as rooms:
            campaign = await _get_bulk(rooms, names.parse_campaign(request.name))
            return campaign_previews.preview(await preview_campaign(rooms, campaign, sample_count=request.sample_count))

    async def StartCampaign(
        self, request: campaigns_service_pb2.StartCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Starts a campaign, now or later; its audience is expanded afterwards."""

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            started = await self._start(rooms, request)
            await _refuse_unready(rooms, started)
            return wire.campaign(started)

        reply = await self._mutations.run(request, campaigns_pb2.Campaign, apply)
        if reply.state == campaigns_pb2.Campaign.STATE_RUNNING:
            await self._wakeups.expand_campaign(names.parse_campaign(reply.name))
        return reply

    async def PauseCampaign(
        self, request: campaigns_service_pb2.PauseCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Pauses a running campaign."""
        campaign_id = names.parse_campaign(request.name)

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            paused = await rooms.campaign_states.pause_campaign(
                campaign_id, at=self._clock.now(), source=PauseSource.USER, reason=request.pause_reason
            )
            return wire.campaign(paused)

        return await self._mutations.run(request, campaigns_pb2.Campaign, apply)

    async def ResumeCampaign(
        self, request: campaigns_service_pb2.ResumeCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Lets a paused campaign run on."""
        campaign_id = names.parse_campaign(request.name)

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            resumed = await rooms.campaign_states.resume_campaign(campaign_id, at=self._clock.now())
            await check_campaign_template(rooms, resumed)
            return wire.campaign(resumed)

        reply = await self._mutations.run(request, campaigns_pb2.Campaign, apply)
        await self._wakeups.expand_campaign(campaign_id)
        await self._wakeups.pump_sender(names.parse_sender(reply.sender))
        return reply

    async def CancelCampaign(
        self, request: campaigns_service_pb2.CancelCampaignRequest, context: object
    ) -> campaigns_pb2.Campaign:
        """Stops a campaign for good; nothing is claimed from it any more, its messages are cancelled afterwards."""
        campaign_id = names.parse_campaign(request.name)

        async def apply(rooms: Rooms) -> campaigns_pb2.Campaign:
            return wire.campaign(await rooms.campaign_states.cancel_campaign(campaign_id, at=self._clock.now()))

        return await self._mutations.run(request, campaigns_pb2.Campaign, apply)

    async def RetryFailedMessages(
        self, request: campaigns_service_pb2.RetryFailedMessagesRequest, context: object
    ) -> campaigns_service_pb2.RetryFailedMessagesResponse:
        """Puts failed messages back to be sent again."""
        campaign_id = names.parse_campaign(request.name)
        reply_type = campaigns_service_pb2.RetryFailedMessagesResponse

        async def apply(rooms: Rooms) -> campaigns_service_pb2.RetryFailedMessagesResponse:
            done = await retry_failed_messages(
                rooms, campaign_id, error_codes=request.error_codes, at=self._clock.now()
            )
            return reply_type(
                campaign=wire.campaign(done.campaign),
                message_count=done.message_count,
                too_early_count=done.left.too_early_count,
                may_arrive_count=done.left.may_arrive_count,
            )

        reply = await self._mutations.run(request, reply_type, apply)
        await self._wakeups.pump_sender(names.parse_sender(reply.campaign.sender))
        return reply

    def WatchCampaign(
        self, request: campaigns_service_pb2.WatchCampaignRequest, context: object
    ) -> AsyncIterator[campaigns_service_pb2.WatchCampaignResponse]:
        """Streams how a campaign goes until it is over."""
        campaign_id = names.parse_campaign(request.name)
        return watch_campaign(store=self._store, clock=self._clock, pace=self._pace, campaign_id=campaign_id)

    async def _start(self, rooms: Rooms, request: campaigns_service_pb2.StartCampaignRequest) -> Campaign:
        campaign_id, revision = names.parse_campaign(request.name), wire.read_etag(request.etag)
        now, schedule_time = self._clock.now(), times.read_field_time(request, "schedule_time")
        if schedule_time is None:
            return await rooms.campaign_states.start_campaign(campaign_id, at=now, revision=revision)
        _check_schedule(schedule_time, now=now)
        return await rooms.campaign_states.schedule_campaign(
            campaign_id, at=now, schedule_time=schedule_time, revision=revision
        )

    async def _update(
        self, rooms: Rooms, current: Campaign, draft: CampaignDraft, *, changed: frozenset[str]
    ) -> Campaign:
        if changed <= LIVE_FIELDS:
            return await rooms.campaigns.update_live_campaign(
                current.id,
                display_name=draft.display_name,
                messages_per_second=draft.messages_per_second,
                at=self._clock.now(),
            )
        check_editable(current)
        return await rooms.campaigns.update_campaign(
            current.id, await checked_draft(rooms, draft), at=self._clock.now()
        )


async def _list(rooms: Rooms, request: campaigns_service_pb2.ListCampaignsRequest, page: Page) -> list[Campaign]:
    state, created = wire.read_state(request.state), times.read_range(request)
    limit, before = page.size + 1, page.after_id
    if state is None:
        return await rooms.campaigns.list_campaigns(limit=limit, before=before, created=created)
    return await rooms.campaigns.list_campaigns_by_state(state, limit=limit, before=before, created=created)


async def _get_bulk(rooms: Rooms, campaign_id: UUID) -> Campaign:
    campaign = await rooms.campaigns.get_campaign(campaign_id)
    if campaign.kind is not CampaignKind.BULK:
        raise refuse_unknown(campaign_id)
    return campaign


async def _refuse_unready(rooms: Rooms, started: Campaign) -> None:
    is_reaching = await rooms.previews.has_audience(started.id)
    problems = await find_start_problems(rooms, started, is_reaching=is_reaching)
    for problem in problems:
        # A sender that is paused today may be resumed by the time a scheduled campaign starts.
        if started.state is CampaignState.RUNNING or problem.reason != "SENDER_PAUSED":
            raise problem


def _check_etag(current: Campaign, revision: int | None) -> None:
    if revision is not None and revision != current.revision:
        raise refuse_etag(current.id)


def _check_schedule(schedule_time: datetime, *, now: datetime) -> None:
    if schedule_time <= now:
        text = "The schedule time is past; leave it out to start now."
        violation = Violation(field="schedule_time", description=text, reason="SCHEDULE_TIME_PAST")
        raise InvalidArgument("SCHEDULE_TIME_PAST", text, violations=[violation])
