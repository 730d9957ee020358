"""What WhatsApp says of templates, asked without a person: one that it refuses though we know it as approved."""

import logging

from core.domain.errors import Refusal
from core.domain.templates import DoubtedTemplates, ListedTemplate
from core.whatsapp.credentials import access_token
from workers.engine import Engine
from workers.tasks.announcements import stop_templates
from workers.waiting import pause

_log = logging.getLogger(__name__)

# Of the calls that manage an account WhatsApp takes few an hour.
_AGAIN_SECONDS = 60.0


async def sync_doubted(engine: Engine, doubted: DoubtedTemplates) -> None:
    """Reads an account's templates anew; campaigns learn what became of theirs, and none runs on by itself.

    One that WhatsApp lists as approved and refuses all the same would only be refused again.
    """
    async with engine.store.connection() as rooms:
        sender = await rooms.senders.get_sender(doubted.sender_id)
    account = sender.whatsapp_account_id
    token = access_token(engine.settings, sender.credential_reference)
    try:
        listed = await engine.management.list_templates(whatsapp_account_id=account, token=token)
    except Refusal as refusal:
        _log.warning("templates could not be synced", extra={"account": account, "reason": refusal.reason})
        await pause(engine.stopping, _AGAIN_SECONDS)
    else:
        await _keep(engine, account, listed, doubted)


async def _keep(engine: Engine, account: str, listed: list[ListedTemplate], doubted: DoubtedTemplates) -> None:
    # Wherever our clock stands beside the database's: these refusals are answered.
    at = max(engine.clock.now(), doubted.pause_time)
    ids = doubted.whatsapp_template_ids
    async with engine.store.transaction() as rooms:
        counts = await rooms.templates.sync_templates(account, listed, at=at)
        await rooms.pauses.lock_announced_campaigns(ids, [])
        await stop_templates(rooms, ids)
        rooms.outdate("templates")
    changed = counts.created_count + counts.updated_count + counts.deleted_count
    _log.info("templates were synced after a refusal", extra={"account": account, "changed": changed})
