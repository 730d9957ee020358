"""What refusals tell about contacts and their countries, which other messages to them need; kept with settlements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.domain.contacts import WhatsappState
from core.domain.outcomes import Effect, Outcome, Refused
from workers.countries import CountryRefusal, restrict_countries
from workers.engine import Engine
from workers.tasks.choices import keep_choices, read_refusals

_OF_CONTACTS: Final = frozenset({Effect.MARK_ABSENT, Effect.OPT_OUT, Effect.RESTRICT_COUNTRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Says what an answer told a sender about one contact, and when."""

    sender_id: UUID
    contact_id: UUID
    effect: Effect
    event_time: datetime


def telling(contact_id: UUID, outcome: Outcome, *, sender_id: UUID, at: datetime) -> Telling | None:
    """Returns what an outcome tells about the contact itself, None when it tells nothing."""
    if isinstance(outcome, Refused) and outcome.verdict.effect in _OF_CONTACTS:
        return Telling(sender_id=sender_id, contact_id=contact_id, effect=outcome.verdict.effect, event_time=at)
    return None


async def keep_tellings(engine: Engine, told: Sequence[Telling]) -> None:
    """Marks contacts as the answers say; an opt-out also skips what is PENDING of marketing. Safe to repeat."""
    absent = {
        one.contact_id: (WhatsappState.ABSENT, one.event_time) for one in told if one.effect is Effect.MARK_ABSENT
    }
    opt_outs = {one.contact_id: one.event_time for one in told if one.effect is Effect.OPT_OUT}
    if not told:
        return
    hash_key = engine.settings.hash_key.get_secret_value().encode()
    async with engine.store.transaction() as rooms:
        # As where receipts tell the same: an opt-out looks for its messages in a table that was perhaps never analysed.
        await rooms.transactions.enter_by_keys()
        if absent:
            await rooms.receipts.mark_whatsapp_states(absent)
        choices = await read_refusals(rooms, opt_outs, hash_key=hash_key)
        await keep_choices(rooms, choices, now=engine.clock.now())
        await restrict_countries(rooms, [_country(one) for one in told if one.effect is Effect.RESTRICT_COUNTRY])


def _country(one: Telling) -> CountryRefusal:
    return CountryRefusal(sender_id=one.sender_id, contact_id=one.contact_id, event_time=one.event_time)
