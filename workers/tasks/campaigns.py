"""The tasks of a campaign: its messages are made when it starts, and cancelled when it is cancelled."""

from uuid import UUID

from workers.engine import Engine

PAGE = 2000


async def expand_campaign(engine: Engine, campaign_id: UUID) -> None:
    """Makes the messages of a campaign, page by page; killed between two, it goes on where it was."""
    done = False
    while not done and not engine.stopping.is_set():
        async with engine.store.transaction() as rooms:
            page = await rooms.expansion.expand_page(campaign_id, PAGE)
        done = page.is_complete
        if page.inserted:
            await _ring(engine, campaign_id)


async def cancel_messages(engine: Engine, campaign_id: UUID) -> None:
    """Cancels what a cancelled campaign has not sent, page by page."""
    cancelled = PAGE
    while cancelled == PAGE and not engine.stopping.is_set():
        async with engine.store.connection() as rooms:
            cancelled = await rooms.campaign_states.cancel_messages_page(campaign_id, limit=PAGE)


async def _ring(engine: Engine, campaign_id: UUID) -> None:
    async with engine.store.connection() as rooms:
        campaign = await rooms.campaigns.get_campaign(campaign_id)
    await engine.wakeups.pump_sender(campaign.sender_id)
