"""What WhatsApp says of templates, asked without a person: announced texts, or one it refuses though it approved it."""

import logging
from datetime import datetime
from uuid import UUID

from core.cache import campaign_generation
from core.domain.errors import Refusal
from core.domain.templates import DoubtedTemplates, ListedTemplate
from core.whatsapp.credentials import access_token
from core.whatsapp.errors import DOUBTS_TEMPLATE, ENDS_WITH_APPROVAL
from workers.engine import Engine
from workers.tasks.announcements import pause_unusable
from workers.waiting import rest

_log = logging.getLogger(__name__)

# Of the calls that manage an account WhatsApp takes few an hour; who edits templates edits several.
_AGAIN_SECONDS = 60.0


async def sync_doubted(engine: Engine, doubted: DoubtedTemplates) -> None:
    """Reads an account's templates anew; campaigns learn what became of theirs, and none runs on by itself.

    One that WhatsApp lists as approved and refuses all the same would only be refused again.
    """
    # Wherever our clock stands beside the database's: these refusals are answered.
    asked = max(engine.clock.now(), doubted.pause_time)
    account, listed = await _list(engine, doubted.sender_id)
    if listed is None:
        return
    ids = doubted.whatsapp_template_ids
    async with engine.store.transaction() as rooms:
        counts = await rooms.templates.sync_templates(account, listed, at=asked)
        await rooms.transactions.bound_standstill()
        await rooms.pauses.lock_announced_campaigns(ids, [])
        await pause_unusable(rooms, ids)
        rooms.outdate("templates")
    changed = counts.created_count + counts.updated_count + counts.deleted_count
    _log.info("templates were synced after a refusal", extra={"account": account, "changed": changed})


async def sync_templates(engine: Engine, sender_id: UUID) -> None:
    """Reads all templates of a sender's account and keeps them; the keeper sends for it once in a while at most."""
    asked = engine.clock.now()
    account, listed = await _list(engine, sender_id)
    if listed is not None:
        await _keep(engine, account, listed, asked=asked)
        await rest(engine.stopping, _AGAIN_SECONDS)


async def _keep(engine: Engine, account: str, listed: list[ListedTemplate], *, asked: datetime) -> None:
    async with engine.store.transaction() as rooms:
        counts = await rooms.templates.sync_templates(account, listed, at=asked)
        await rooms.transactions.bound_standstill()
        resumed = await rooms.resumptions.resume_template_campaigns(
            [template.whatsapp_template_id for template in listed],
            codes=sorted(ENDS_WITH_APPROVAL - DOUBTS_TEMPLATE),  # these end with an approval, not with a list
            at=engine.clock.now(),
        )
        rooms.outdate("templates")
        if resumed:
            rooms.outdate("campaigns", *map(campaign_generation, resumed))
    _log.info("templates were synced", extra={"updated": counts.updated_count, "resumed": len(resumed)})


async def _list(engine: Engine, sender_id: UUID) -> tuple[str, list[ListedTemplate] | None]:
    """Returns a sender's account and its templates; none when WhatsApp does not tell, after a while."""
    async with engine.store.connection() as rooms:
        sender = await rooms.senders.get_sender(sender_id)
    account = sender.whatsapp_account_id
    token = access_token(engine.settings, sender.credential_reference)
    try:
        return account, await engine.management.list_templates(whatsapp_account_id=account, token=token)
    except Refusal as refusal:
        _log.warning("templates could not be synced", extra={"account": account, "reason": refusal.reason})
        await rest(engine.stopping, _AGAIN_SECONDS)
        return account, None
