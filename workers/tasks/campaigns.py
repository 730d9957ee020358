"""The tasks of a campaign, page by page: its messages are made, put back to be tried again, or cancelled."""

import logging
from uuid import UUID

from core.domain.errors import Conflict
from core.whatsapp.errors import retry_choice
from workers.engine import Engine

_log = logging.getLogger(__name__)

# A page is one transaction: large enough that what it costs beside its rows is little, over in a third of a second.
PAGE = 10_000
_RETRY_PAGE = 5000
_CANCEL_PAGE = 2000


async def expand_campaign(engine: Engine, campaign_id: UUID) -> None:
    """Makes the messages of a campaign, page by page; killed between two, it goes on where it was."""
    done = False
    while not done and not engine.stopping.is_set():
        try:
            async with engine.store.transaction() as rooms:
                page = await rooms.expansion.expand_page(campaign_id, PAGE)
        except Conflict:
            # It was cancelled, or somebody holds it: the keeper finds in its next round what is left to plan.
            _log.info("a page of an audience was taken back", extra={"campaign_id": str(campaign_id)})
            return
        done = page.is_complete
        if page.inserted:
            await _ring(engine, campaign_id)


async def cancel_messages(engine: Engine, campaign_id: UUID) -> None:
    """Cancels what a cancelled campaign has not sent, page by page."""
    cancelled = _CANCEL_PAGE
    while cancelled == _CANCEL_PAGE and not engine.stopping.is_set():
        async with engine.store.connection() as rooms:
            cancelled = await rooms.campaign_states.cancel_messages_page(campaign_id, limit=_CANCEL_PAGE)


async def retry_messages(engine: Engine, campaign_id: UUID) -> None:
    """Puts back what a retry left, page by page; killed between two, it goes on where it was."""
    async with engine.store.connection() as rooms:
        await rooms.retries.drop_retries(campaign_id)
    while not engine.stopping.is_set() and await _retry_page(engine, campaign_id):
        await _ring(engine, campaign_id)


async def _retry_page(engine: Engine, campaign_id: UUID) -> bool:
    """Puts one page back; False when there is no retry to go on with."""
    async with engine.store.transaction() as rooms:
        retry = await rooms.retries.take_retry(campaign_id)
        if retry is None:
            return False
        await rooms.transactions.enter_by_keys()
        chosen = retry_choice(retry.error_codes, now=engine.clock.now())
        page = await rooms.retries.find_page(
            campaign_id, after=retry.after_message_id, limit=_RETRY_PAGE, chosen=chosen
        )
        await rooms.retries.put_back(campaign_id, page, chosen=chosen)
        if len(page) < _RETRY_PAGE:
            await rooms.retries.finish_retry(retry.id)
        else:
            await rooms.retries.advance_retry(retry.id, after=page[-1])
    return True


async def _ring(engine: Engine, campaign_id: UUID) -> None:
    async with engine.store.connection() as rooms:
        campaign = await rooms.campaigns.get_campaign(campaign_id)
    await engine.wakeups.pump_sender(campaign.sender_id)
