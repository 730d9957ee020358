"""People who are reached otherwise now: the contact moves with all that is known of it, choices and their proof too."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.contacts import ConsentRecord, MarketingConsent, person_hashes
from core.domain.interactions import Person
from core.repositories.inbound import Known
from core.repositories.rooms import Rooms
from core.whatsapp.identity_changes import IdentityChange


async def follow_people(
    rooms: Rooms, changes: Sequence[IdentityChange], *, hash_key: bytes, now: datetime
) -> list[ConsentRecord]:
    """Moves contacts to their new numbers and ids within the caller's transaction.

    Returns what they had chosen, for the new ones. One change after the other: a second one begins where the first one
    ended. They are rare.
    """
    records = []
    for change in sorted(changes, key=lambda each: each.event_time):
        before, after = await _find(rooms, change)
        if before is not None:
            records += await _follow(rooms, change, before, after, hash_key=hash_key, now=now)
    return records


async def _find(rooms: Rooms, change: IdentityChange) -> tuple[Known | None, Known | None]:
    """Finds which contact someone was, and which they are already, if any."""
    old, new = (Person(whatsapp_user_id=person.whatsapp_user_id) for person in (change.before, change.after))
    people = await rooms.inbound.find_people([change.before, change.after, old, new])
    before, after = people.get(change.before), people.get(change.after)
    if change.after.phone_number in {"", change.before.phone_number}:
        # The number is none that was given up, so it may be told for the first time.
        before = people.get(old) or before
    if before is not None and after is not None and after.id == before.id:
        after = people.get(new) or after
    return before, after


async def _follow(
    rooms: Rooms, change: IdentityChange, before: Known, after: Known | None, *, hash_key: bytes, now: datetime
) -> list[ConsentRecord]:
    if after is None or after.id == before.id:
        moved = await rooms.identities.move_contact(
            before.id, before=change.before, after=change.after, at=now, told=change.event_time
        )
        heir = before if moved else None
    else:
        # The new number is a contact already: that one goes on, and what waits for the old number is skipped.
        joined = await rooms.identities.join_contact(before.id, heir_id=after.id, at=now, told=change.event_time)
        heir = after if joined else None
        if heir is not None and heir.whatsapp_user_id is None and change.after.whatsapp_user_id:
            await rooms.inbound.learn_user_ids({heir.id: change.after.whatsapp_user_id})
        rooms.outdate("categories")
    if heir is None:
        return []
    hashes = person_hashes(hash_key, change.after.phone_number, change.after.whatsapp_user_id)
    await rooms.consent.honour_kept_opt_outs([(heir.id, person_hash) for person_hash in hashes], at=now)
    chosen = await rooms.identities.find_consent(before.id)
    if chosen is None or (heir is after and chosen.consent is not MarketingConsent.OPTED_OUT):
        return []
    return [
        ConsentRecord(
            contact_id=heir.id,
            person_hash=person_hash,
            consent=chosen.consent,
            source=chosen.source,
            evidence=change.whatsapp_message_id,
            event_time=chosen.event_time,
        )
        for person_hash in hashes
    ]
