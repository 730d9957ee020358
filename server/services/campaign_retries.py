"""RetryFailedMessages: a first page of failed messages is put back at once, the rest is left to the workers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.domain.campaigns import Campaign
from core.domain.errors import WrongState
from core.repositories.rooms import Rooms
from core.whatsapp.errors import HOPELESS

PAGE = 2000
_FIRST = UUID(int=0)


async def retry_failed_messages(
    rooms: Rooms, campaign_id: UUID, *, error_codes: Sequence[int], at: datetime
) -> tuple[Campaign, int]:
    """Returns the campaign as it now is and how many messages are put back; refuses with ``NOTHING_TO_RETRY``."""
    # The campaign first: who locks messages never waits for their campaign.
    campaign = await rooms.retries.reopen_campaign(campaign_id, at=at)
    page = await rooms.retries.retry_failed_page(
        campaign_id, after=_FIRST, limit=PAGE, error_codes=error_codes, hopeless=sorted(HOPELESS)
    )
    if not page:
        text = "No message of the campaign failed in a way that another try could help."
        raise WrongState("NOTHING_TO_RETRY", text, campaign=f"campaigns/{campaign_id}")
    rest = 0
    if len(page) == PAGE:
        rest = await rooms.retries.count_retryable(
            campaign_id, after=page[-1], error_codes=error_codes, hopeless=sorted(HOPELESS)
        )
        await rooms.retries.keep_retry(campaign_id, after=page[-1], error_codes=error_codes)
    return campaign, len(page) + rest
