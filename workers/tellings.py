"""What refusals tell about contacts: who is not on WhatsApp, who wants no marketing; kept with the settlements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.domain.contacts import WhatsappState
from core.domain.outcomes import Effect, Outcome, Refused
from workers.engine import Engine
from workers.tasks.choices import keep_choices, read_refusals

_OF_CONTACTS: Final = frozenset({Effect.MARK_ABSENT, Effect.OPT_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Says what an answer told about one contact, and when."""

    contact_id: UUID
    effect: Effect
    event_time: datetime


def telling(contact_id: UUID, outcome: Outcome, *, at: datetime) -> Telling | None:
    """Returns what an outcome tells about the contact itself, None when it tells nothing."""
    if isinstance(outcome, Refused) and outcome.verdict.effect in _OF_CONTACTS:
        return Telling(contact_id=contact_id, effect=outcome.verdict.effect, event_time=at)
    return None


async def keep(engine: Engine, told: Sequence[Telling]) -> None:
    """Marks contacts as the answers say; an opt-out also skips what is PENDING of marketing. Safe to repeat."""
    absent = {
        one.contact_id: (WhatsappState.ABSENT, one.event_time) for one in told if one.effect is Effect.MARK_ABSENT
    }
    opt_outs = {one.contact_id: one.event_time for one in told if one.effect is Effect.OPT_OUT}
    if not absent and not opt_outs:
        return
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    async with engine.store.transaction() as rooms:
        if absent:
            await rooms.receipts.mark_whatsapp_states(absent)
        choices = await read_refusals(rooms, opt_outs, hash_key=hash_key)
        await keep_choices(rooms, choices, now=engine.clock.now())
