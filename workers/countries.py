"""Countries to which WhatsApp lets an account send nothing: one refusal says so of all who live there."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.domain.phone import country_of
from core.repositories.rooms import Rooms

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRefusal:
    """Says that a sender may not write to the country of a contact, and when WhatsApp said so."""

    sender_id: UUID
    contact_id: UUID
    event_time: datetime


async def restrict_countries(rooms: Rooms, refusals: Sequence[CountryRefusal]) -> None:
    """Notes where the senders' accounts may not send, for a day; whose country is not known says nothing of others."""
    if not refusals:
        return
    identities = await rooms.inbound.find_identities(sorted({refusal.contact_id for refusal in refusals}))
    countries = {known.id: country_of(known.phone_number, known.whatsapp_user_id) for known in identities}
    told = [
        (refusal.sender_id, country, refusal.event_time)
        for refusal in refusals
        if (country := countries.get(refusal.contact_id))
    ]
    news = await rooms.senders.restrict_countries(told) if told else []
    if news:
        _log.warning("an account may not send to countries", extra={"countries": sorted(set(news))})
