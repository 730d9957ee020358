"""What people choose about marketing, told by WhatsApp itself; and what WhatsApp decides about templates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from core.domain.contacts import ConsentRecord, MarketingConsent, person_hashes
from core.domain.interactions import Person
from core.domain.optout import Preference
from core.repositories.inbound import Known, TemplateMove
from core.repositories.rooms import Rooms
from core.whatsapp.webhooks import TemplateEvent

WHATSAPP_PREFERENCE: Final = "WHATSAPP_PREFERENCE"
WHATSAPP_ERROR: Final = "WHATSAPP_ERROR_131050"

STATE_TOPIC: Final = "message_template_status_update"
# FLAGGED and the like warn of what may come; they leave a template as usable as it was.
TEMPLATE_STATES: Final = MappingProxyType(
    {
        "APPROVED": "APPROVED",
        "REINSTATED": "APPROVED",
        "UNPAUSE": "APPROVED",
        "UNPAUSED": "APPROVED",
        "UNARCHIVED": "APPROVED",
        "REJECTED": "REJECTED",
        "PENDING": "PENDING",
        "IN_APPEAL": "PENDING",
        "PAUSED": "PAUSED",
        "DISABLED": "DISABLED",
        "PENDING_DELETION": "DELETED",
        "DELETED": "DELETED",
        "ARCHIVED": "OTHER",
        "LOCKED": "OTHER",
        "LIMIT_EXCEEDED": "OTHER",
    }
)


_CATEGORIES: Final = frozenset({"MARKETING", "UTILITY", "AUTHENTICATION"})
_QUALITIES: Final = frozenset({"GREEN", "YELLOW", "RED", "UNKNOWN"})


async def read_preferences(
    rooms: Rooms, preferences: Sequence[Preference], *, hash_key: bytes
) -> tuple[list[ConsentRecord], dict[Person, Known]]:
    """Returns the choices made in WhatsApp's settings, for every contact that each is, and who of these are contacts.

    Of someone who is no contact the proof alone is kept.
    """
    told = [item for item in preferences if item.person.phone_number or item.person.whatsapp_user_id]
    found = await rooms.inbound.find_matches([(item.person, None) for item in told]) if told else []
    records = [
        ConsentRecord(
            contact_id=known.id if known else None,
            person_hash=hash_of(known or item.person, hash_key=hash_key),
            consent=MarketingConsent(item.consent),
            source=WHATSAPP_PREFERENCE,
            event_time=item.event_time,
        )
        for item, matches in zip(told, found, strict=True)
        for known in matches or (None,)
    ]
    people = {item.person: matches[0] for item, matches in zip(told, found, strict=True) if matches}
    return records, people


async def read_refusals(rooms: Rooms, opt_outs: Mapping[UUID, datetime], *, hash_key: bytes) -> list[ConsentRecord]:
    """Returns the choices that failed messages told of: WhatsApp does not carry marketing to these contacts."""
    identities = await rooms.inbound.find_identities(sorted(opt_outs)) if opt_outs else []
    return [
        ConsentRecord(
            contact_id=known.id,
            person_hash=hash_of(known, hash_key=hash_key),
            consent=MarketingConsent.OPTED_OUT,
            source=WHATSAPP_ERROR,
            event_time=opt_outs[known.id],
        )
        for known in identities
    ]


def hash_of(who: Known | Person, *, hash_key: bytes) -> bytes:
    """Returns the hash a person's choices are kept under: of the phone number, or else of WhatsApp's id."""
    return person_hashes(hash_key, who.phone_number, who.whatsapp_user_id)[0]


async def keep_choices(rooms: Rooms, records: Sequence[ConsentRecord], *, now: datetime) -> int:
    """Records choices that are not on record yet, and all that follows from them; returns how many were new."""
    unique = list({(item.person_hash, item.consent.value, item.event_time): item for item in records}.items())
    if not unique:
        return 0
    told = await rooms.inbound.find_told_consents([key for key, _ in unique])
    new = [item for position, (_, item) in enumerate(unique) if position not in told]
    if new:
        await rooms.consent.record(new, at=now)
    return len(new)


async def move_templates(rooms: Rooms, events: Sequence[TemplateEvent], *, now: datetime) -> None:
    """Notes which templates were approved, paused or rejected; of several events of one template the last counts."""
    await rooms.inbound.lock_told_templates(sorted({event.whatsapp_template_id for event in events}))
    moves = [
        TemplateMove(
            whatsapp_template_id=event.whatsapp_template_id,
            state=TEMPLATE_STATES[event.event],
            reason="" if event.reason.upper() == "NONE" else event.reason,
            event_time=event.event_time or now,
        )
        for event in events
        if event.topic == STATE_TOPIC and event.event in TEMPLATE_STATES
    ]
    latest = {move.whatsapp_template_id: move for move in sorted(moves, key=lambda move: move.event_time)}
    if latest:
        await rooms.inbound.move_templates(list(latest.values()))
        rooms.outdate("templates")
    await _recategorise(rooms, events, now=now)
    await _requalify(rooms, events, now=now)
    changed = [event.whatsapp_template_id for event in events if event.topic == "message_template_components_update"]
    if changed:
        await rooms.inbound.outdate_templates(changed, at=now)


async def _requalify(rooms: Rooms, events: Sequence[TemplateEvent], *, now: datetime) -> None:
    """Notes how well templates are taken by those who get them."""
    told = {
        event.whatsapp_template_id: (event.event, event.event_time or now)
        for event in sorted(events, key=lambda event: event.event_time or now)
        if event.topic == "message_template_quality_update" and event.event in _QUALITIES
    }
    if told:
        await rooms.inbound.requalify_templates(told)
        rooms.outdate("templates")


async def _recategorise(rooms: Rooms, events: Sequence[TemplateEvent], *, now: datetime) -> None:
    """Notes that WhatsApp counts a template as marketing, or no longer; one that is only announced is still to come."""
    told = {
        event.whatsapp_template_id: (event.event, event.event_time or now)
        for event in sorted(events, key=lambda event: event.event_time or now)
        if event.topic == "template_category_update" and event.event in _CATEGORIES and _has_happened(event)
    }
    if told:
        await rooms.inbound.recategorise_templates(told)
        rooms.outdate("templates")


def _has_happened(event: TemplateEvent) -> bool:
    return bool(event.details.get("previous_category"))
