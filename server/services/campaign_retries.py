"""RetryFailedMessages: a first page of failed messages is put back at once, the rest is left to the workers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from core.domain.campaigns import Campaign, check_template
from core.domain.errors import WrongState
from core.repositories.rooms import Rooms
from core.whatsapp.errors import retry_choice

PAGE = 2000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Says how many failed messages a retry left: those it is too early for, and those that may still arrive."""

    too_early_count: int
    may_arrive_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """Says what a retry did: the campaign as it now is, messages put back, and which were left."""

    campaign: Campaign
    message_count: int
    left: Left


async def retry_failed_messages(
    rooms: Rooms, campaign_id: UUID, *, error_codes: Sequence[int], at: datetime
) -> Retried:
    """Puts failed messages back.

    Refuses with ``NOTHING_TO_RETRY``, ``CAMPAIGN_NOT_RETRYABLE`` or ``TEMPLATE_NOT_APPROVED``.
    """
    chosen = retry_choice(error_codes, now=at)
    # Of millions this takes seconds, in which nobody who pauses the campaign may have to wait: before it is locked.
    await rooms.retries.take_turn(campaign_id)
    left = Left(
        too_early_count=await rooms.retries.count_resting(campaign_id, chosen=chosen),
        may_arrive_count=await rooms.retries.count_may_arrive(campaign_id, after=_FIRST, chosen=chosen),
    )
    page = await rooms.retries.find_page(campaign_id, after=_FIRST, limit=PAGE, chosen=chosen)
    rest = 0
    if len(page) == PAGE:
        rest = await rooms.retries.count_retryable(campaign_id, after=page[-1], chosen=chosen)
    await rooms.transactions.bound_standstill()
    # The campaign first: who locks messages never waits for their campaign.
    campaign = await rooms.retries.reopen_campaign(campaign_id, at=at)
    await check_campaign_template(rooms, campaign)
    count = rest + await rooms.retries.put_back(campaign_id, page, chosen=chosen)
    if not count:
        raise _nothing(campaign_id, left)
    if rest:
        await rooms.retries.keep_retry(campaign_id, after=page[-1], error_codes=error_codes)
    return Retried(campaign=campaign, message_count=count, left=left)


async def check_campaign_template(rooms: Rooms, campaign: Campaign) -> None:
    """Refuses with ``TEMPLATE_NOT_APPROVED`` to go on with what WhatsApp will not take again."""
    if campaign.template_id is not None:
        check_template(await rooms.templates.get_template(campaign.template_id))


def _nothing(campaign_id: UUID, left: Left) -> WrongState:
    text = "No message of the campaign failed in a way that another try could help."
    if left.too_early_count:
        text += f" For {left.too_early_count} it is too early: WhatsApp wants 24 hours to pass first."
    if left.may_arrive_count:
        text += f" Of {left.may_arrive_count} an earlier attempt may still arrive: they are left alone for a day."
    return WrongState("NOTHING_TO_RETRY", text, campaign=f"campaigns/{campaign_id}", **asdict(left))
