"""What creating, changing, previewing and starting a campaign have in common: looking up what it stands on."""

from uuid import UUID

from core.domain.campaigns import (
    AudienceCounts,
    Campaign,
    CampaignDraft,
    CampaignPreview,
    MissingVariable,
    check_draft,
    estimate_duration,
    start_problems,
)
from core.domain.errors import NotFound, Refusal
from core.domain.template_parts import RenderedMessage, render
from core.domain.templates import Template
from core.repositories.rooms import Rooms

DEFAULT_SAMPLES = 3


async def checked_draft(rooms: Rooms, draft: CampaignDraft) -> CampaignDraft:
    """Returns a draft that may be kept; refuses what it names and nobody knows, and what can never be sent."""
    sender = await rooms.senders.get_sender(draft.sender_id)
    template = await rooms.templates.get_template(draft.template_id)
    checked = check_draft(draft, sender=sender, template=template)
    named = (*draft.audience.category_ids, *draft.audience.excluded_category_ids)
    for category_id in await rooms.campaigns.find_unknown_categories(named) if named else ():
        raise NotFound("CATEGORY_NOT_FOUND", "There is no such category.", category=f"categories/{category_id}")
    return checked


async def find_start_problems(rooms: Rooms, campaign: Campaign, *, is_reaching: bool) -> list[Refusal]:
    """Returns all that a start now would be refused for, except the campaign's state."""
    sender = await rooms.senders.get_sender(campaign.sender_id)
    template = await rooms.templates.get_template(_template_id(campaign))
    return start_problems(campaign=campaign, sender=sender, template=template, is_reaching=is_reaching)


async def preview_campaign(rooms: Rooms, campaign: Campaign, *, sample_count: int) -> CampaignPreview:
    """Returns what a start would do; as many statements for any audience."""
    sender = await rooms.senders.get_sender(campaign.sender_id)
    template = await rooms.templates.get_template(_template_id(campaign))
    counts = await rooms.previews.count_audience(campaign.id)
    missing = await rooms.previews.count_missing_values(campaign.id)
    samples = await rooms.previews.list_samples(campaign.id, limit=sample_count or DEFAULT_SAMPLES)
    return CampaignPreview(
        counts=counts,
        missing_variables=_missing_variables(campaign, template, counts, missing),
        samples=tuple(_sample(campaign, template, contact_id, values) for contact_id, values in samples),
        send_duration=estimate_duration(
            sendable_count=counts.sendable_count,
            campaign_rate=campaign.messages_per_second,
            sender_rate=sender.messages_per_second,
        ),
        problems=tuple(
            start_problems(campaign=campaign, sender=sender, template=template, is_reaching=counts.audience_count > 0)
        ),
    )


def _missing_variables(
    campaign: Campaign, template: Template, counts: AudienceCounts, missing: dict[int, int]
) -> tuple[MissingVariable, ...]:
    known = {parameter.key: parameter for parameter in template.parameters}
    places = {binding.key: place for place, binding in enumerate(campaign.bindings)}
    found = []
    for key, parameter in known.items():
        place = places.get(key)
        if place is None and parameter.is_required:
            found.append(MissingVariable(parameter=parameter, value="", contact_count=counts.audience_count))
        elif place in missing:
            value = campaign.bindings[place].value
            found.append(MissingVariable(parameter=parameter, value=value, contact_count=missing[place]))
    return tuple(found)


def _sample(campaign: Campaign, template: Template, contact_id: UUID, values: list[str]) -> RenderedMessage:
    by_key = {binding.key: value for binding, value in zip(campaign.bindings, values, strict=True)}
    return render(template.components, by_key, contact_id=contact_id)


def _template_id(campaign: Campaign) -> UUID:
    if campaign.template_id is None:
        raise LookupError("A campaign of single messages has no template of its own.")
    return campaign.template_id
