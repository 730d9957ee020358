"""What WhatsApp says of a number, asked without a person: a new one is made known, an upgraded one gets its pace."""

import logging
from uuid import UUID

from core.domain.errors import NotFound, Refusal
from core.domain.senders import Sender, SenderInfo
from core.whatsapp.credentials import access_token
from workers.engine import Engine
from workers.waiting import rest

_log = logging.getLogger(__name__)

# Of the calls that manage an account WhatsApp takes few an hour.
_AGAIN_SECONDS = 60.0


async def refresh_sender(engine: Engine, sender_id: UUID) -> None:
    """Asks WhatsApp about a sender and keeps what it says; an answer that does not come is asked for again later."""
    async with engine.store.connection() as rooms:
        sender = await rooms.senders.get_sender(sender_id)
    token = access_token(engine.settings, sender.credential_reference)
    try:
        info = await engine.management.get_number(phone_number_id=sender.phone_number_id, token=token)
    except NotFound as refusal:
        # One that WhatsApp once knew may only be out of the token's sight.
        if sender.phone_number:
            await rest(engine.stopping, _AGAIN_SECONDS)
        else:
            await _pause(engine, sender, reason=refusal.message)
    except Refusal as refusal:
        _log.warning("a sender could not be refreshed", extra={"sender_id": str(sender_id), "reason": refusal.reason})
        await rest(engine.stopping, _AGAIN_SECONDS)
    else:
        await _keep(engine, sender, info)


async def _keep(engine: Engine, sender: Sender, info: SenderInfo) -> None:
    async with engine.store.transaction() as rooms:
        rate = (await rooms.senders.lock_rate(sender.id)).refresh(info.throughput_level)
        await rooms.senders.refresh_sender(sender.id, info, rate=rate, asked=sender.update_time, at=engine.clock.now())
        rooms.outdate("senders")
    _log.info(
        "a sender was refreshed", extra={"sender_id": str(sender.id), "messages_per_second": rate.messages_per_second}
    )


async def _pause(engine: Engine, sender: Sender, *, reason: str) -> None:
    """Pauses a sender that WhatsApp has never known."""
    async with engine.store.connection() as rooms:
        rooms.outdate("senders")
        await rooms.senders.pause_sender(sender.id, reason=reason, at=engine.clock.now())
    _log.warning("a sender was paused: WhatsApp does not know it", extra={"sender_id": str(sender.id)})
