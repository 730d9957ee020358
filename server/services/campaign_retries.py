"""RetryFailedMessages: failed messages of a campaign are put back, page by page, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from core.domain.campaigns import Campaign
from core.domain.errors import WrongState
from core.repositories.rooms import Rooms
from core.whatsapp.errors import HOPELESS

_PAGE = 5000
_FIRST = UUID(int=0)


async def retry_failed_messages(
    rooms: Rooms, campaign_id: UUID, *, error_codes: Sequence[int], at: datetime
) -> tuple[Campaign, int]:
    """Returns the campaign as it now is and how many messages were put back; refuses with ``NOTHING_TO_RETRY``."""
    # The campaign first: who locks messages never waits for their campaign.
    campaign = await rooms.retries.reopen_campaign(campaign_id, at=at)
    message_count, after, is_last = 0, _FIRST, False
    while not is_last:
        page = await rooms.retries.retry_failed_page(
            campaign_id, after=after, limit=_PAGE, error_codes=error_codes, hopeless=sorted(HOPELESS)
        )
        message_count += len(page)
        after = page[-1] if page else after
        is_last = len(page) < _PAGE
    if message_count == 0:
        text = "No message of the campaign failed in a way that another try could help."
        raise WrongState("NOTHING_TO_RETRY", text, campaign=f"campaigns/{campaign_id}")
    return campaign, message_count
