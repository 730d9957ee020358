"""What people do becomes interactions: whose they are, what they answer, the 24 hours they open, and who says stop."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from core.domain.contacts import ConsentRecord, MarketingConsent, person_hash
from core.domain.interactions import (
    ATTRIBUTION_WINDOW,
    SERVICE_WINDOW,
    Inbound,
    InteractionKind,
    NewInteraction,
    Person,
)
from core.domain.optout import is_opt_out
from core.domain.traces import identities, traces
from core.repositories.inbound import Known
from core.repositories.receipts import Found
from core.repositories.rooms import Rooms
from workers.tasks.choices import hash_of

STOP_REPLY: Final = "STOP_REPLY"
STOP_BUTTON: Final = "STOP_BUTTON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Says what became of inbound messages: opt-outs, whose they are, which are new, which of before an erasure.

    `answered` are the campaigns to which the new ones belong, `wrote` says who wrote them, and when last, of those who
    are not known to be on WhatsApp.
    """

    opt_outs: Sequence[ConsentRecord] = ()
    people: Mapping[Person, Known] = field(default_factory=dict)
    new: Set[str] = frozenset()
    forgotten: frozenset[str] = frozenset()
    answered: frozenset[UUID] = frozenset()
    wrote: Mapping[UUID, datetime] = field(default_factory=dict)


async def keep_replies(rooms: Rooms, inbounds: Sequence[Inbound], *, hash_key: bytes, now: datetime) -> Kept:
    """Keeps interactions within the caller's transaction; returns the opt-outs among those that had not come before.

    Who wrote becomes a contact when they were none. What quotes no message of ours belongs to the latest one the person
    got from that sender in three days. Of what someone wrote before they were erased, and of a notice about nobody we
    know, an opt-out alone is kept.
    """
    senders = await rooms.inbound.find_senders(sorted({item.phone_number_id for item in inbounds}))
    unique = {item.whatsapp_message_id: item for item in inbounds if item.phone_number_id in senders}
    forgotten = await _find_forgotten(rooms, list(unique.values()), hash_key=hash_key)
    told = [item for item in unique.values() if item.whatsapp_message_id not in forgotten]
    contexts = await rooms.receipts.find_messages(sorted({item.context for item in told if item.context}))
    people = await _identify(rooms, told, contexts, hash_key=hash_key, now=now)
    forgotten |= {item.whatsapp_message_id for item in told if item.is_notice and item.person not in people}
    late = prove_opt_outs([unique[each] for each in forgotten], hash_key=hash_key)
    told = [item for item in told if item.whatsapp_message_id not in forgotten]
    if not told:
        return Kept(opt_outs=late, forgotten=frozenset(forgotten))
    interactions = [_interaction(item, senders, people, contexts) for item in told]
    attributed = await _attribute(rooms, interactions)
    new = await rooms.inbound.add_interactions(attributed)
    await _open_windows(rooms, [each for each, item in zip(interactions, told, strict=True) if not item.is_notice])
    # Also of what came before: only now it may be known whose it is, and a choice is recorded once.
    opt_outs = await _read_opt_outs(rooms, told, contexts, hash_key=hash_key)
    counted = (each.campaign_id for each in attributed if each.whatsapp_message_id in new)
    answered = frozenset(campaign_id for campaign_id in counted if campaign_id)
    return Kept(
        opt_outs=[*late, *opt_outs],
        people=people,
        new=new,
        forgotten=frozenset(forgotten),
        answered=answered,
        wrote=_who_wrote(told, people, new),
    )


async def find_unknown(rooms: Rooms, inbounds: Sequence[Inbound]) -> list[Inbound]:
    """Returns what is from people who hide their number, are not known by id, and answer what is not known (yet).

    So is what tells nothing of who it is from.
    """
    hidden = [item for item in inbounds if not item.person.phone_number]
    answers = sorted({item.context for item in hidden if item.context})
    contexts = await rooms.receipts.find_messages(answers) if answers else {}
    unknown = [item for item in hidden if item.context not in contexts]
    named = list({item.person for item in unknown if item.context and item.person.whatsapp_user_id})
    people = await rooms.inbound.find_people(named) if named else {}
    return [
        item for item in unknown if item.person not in people and (item.context or not item.person.whatsapp_user_id)
    ]


def prove_opt_outs(inbounds: Sequence[Inbound], *, hash_key: bytes) -> list[ConsentRecord]:
    """Returns the opt-outs of people of whom nobody can tell (yet, or any more) which contacts they are."""
    return [record for item in inbounds for record in _opt_outs(item, (), hash_key=hash_key)]


def _who_wrote(told: Sequence[Inbound], people: Mapping[Person, Known], new: Set[str]) -> dict[UUID, datetime]:
    """Returns who wrote what is new, of those who are not known to be on WhatsApp.

    A notice may say that the number is given up: whom one is about says nothing here.
    """
    noticed = {people[item.person].id for item in told if item.is_notice and item.person in people}
    wrote: dict[UUID, datetime] = {}
    for item in sorted(told, key=lambda each: each.interaction_time):
        contact = people.get(item.person)
        if contact and not contact.is_reached and contact.id not in noticed and item.whatsapp_message_id in new:
            wrote[contact.id] = item.interaction_time
    return wrote


async def _find_forgotten(rooms: Rooms, told: Sequence[Inbound], *, hash_key: bytes) -> set[str]:
    """Finds what people wrote before they were erased: WhatsApp tells of it for days, and again.

    Who hides their number is known by the message they answer. A notice counts as such whenever it is from, unless the
    person is known anew.
    """
    named = [[*identities(item.person), item.whatsapp_message_id, item.context] for item in told]
    whose = [traces(hash_key, words) for words in named]
    known = sorted({each for found in whose for each in found})
    erased = await rooms.erasure.find_erasures(known) if known else {}
    concerned = [
        (item, max(times))
        for item, found in zip(told, whose, strict=True)
        if (times := [erased[each] for each in found if each in erased])
    ]
    anew = await _find_known_anew(rooms, concerned)
    return {
        item.whatsapp_message_id
        for item, time in concerned
        if item.interaction_time <= time or (item.is_notice and anew.isdisjoint(identities(item.person)))
    }


async def _find_known_anew(rooms: Rooms, concerned: Sequence[tuple[Inbound, datetime]]) -> set[str]:
    """Returns by what people are known who were erased and are contacts again, or will be by what they wrote here."""
    noticed = list({item.person for item, _ in concerned if item.is_notice})
    people = {*(await rooms.inbound.find_people(noticed))} if noticed else set[Person]()
    people |= {item.person for item, time in concerned if not item.is_notice and item.interaction_time > time}
    return {word for person in people for word in identities(person)}


async def _identify(
    rooms: Rooms, told: Sequence[Inbound], contexts: dict[str, Found], *, hash_key: bytes, now: datetime
) -> dict[Person, Known]:
    """Finds who these people are, by number or id, by the message they answer, or as contacts made now."""
    wanted = {item.person for item in told if item.person.phone_number or item.person.whatsapp_user_id}
    people = await rooms.inbound.find_people(list(wanted))
    people |= await _identify_by_context(rooms, [item for item in told if item.person not in people], contexts)
    strangers = await _find_new(rooms, [item for item in told if item.person in wanted and item.person not in people])
    if strangers:
        await rooms.inbound.add_people([_with_hashes(person, hash_key) for person in strangers])
        # A notice may name them otherwise than they did themselves, without a card for example.
        people |= await rooms.inbound.find_people([person for person in wanted if person not in people])
    learned = {
        known.id: person.whatsapp_user_id
        for person, known in people.items()
        if person.whatsapp_user_id and known.whatsapp_user_id is None
    }
    if learned:
        await rooms.inbound.learn_user_ids(learned)
        # Who said stop under that id before, as another contact or as none, has said it for this one.
        hashes = [(contact_id, person_hash(hash_key, user_id)) for contact_id, user_id in learned.items()]
        await rooms.consent.honour_kept_opt_outs(hashes, at=now)
    return people


async def _find_new(rooms: Rooms, told: Sequence[Inbound]) -> list[Person]:
    """Returns who wrote for the first time; whose words are kept already has another number by now."""
    wrote = {item.whatsapp_message_id: item.person for item in told if not item.is_notice}
    kept = await rooms.inbound.find_kept(sorted(wrote)) if wrote else set[str]()
    return list({person for whatsapp_message_id, person in wrote.items() if whatsapp_message_id not in kept})


async def _identify_by_context(
    rooms: Rooms, told: Sequence[Inbound], contexts: dict[str, Found]
) -> dict[Person, Known]:
    """Knows people who hide their number by the message they answer: it went to one contact alone."""
    answered = {item.person: contexts[item.context].contact_id for item in told if item.context in contexts}
    ids = sorted({contact_id for contact_id in answered.values() if contact_id is not None})
    known = {found.id: found for found in await rooms.inbound.find_identities(ids)} if ids else {}
    return {person: known[contact_id] for person, contact_id in answered.items() if contact_id in known}


def _interaction(
    item: Inbound, senders: dict[str, UUID], people: dict[Person, Known], contexts: dict[str, Found]
) -> NewInteraction:
    contact = people.get(item.person)
    answered = contexts.get(item.context)
    return NewInteraction(
        whatsapp_message_id=item.whatsapp_message_id,
        sender_id=senders[item.phone_number_id],
        contact_id=contact.id if contact else None,
        campaign_id=answered.reference.campaign_id if answered else None,
        message_id=answered.reference.message_id if answered else None,
        kind=item.kind,
        interaction_time=item.interaction_time,
        text=item.text,
        payload=item.payload,
    )


async def _attribute(rooms: Rooms, interactions: Sequence[NewInteraction]) -> list[NewInteraction]:
    """Attributes what quotes nothing to the latest message the person got."""
    loose = [(index, item) for index, item in enumerate(interactions) if item.message_id is None and item.contact_id]
    asked = [(item.contact_id, item.sender_id, item.interaction_time) for _, item in loose if item.contact_id]
    found = await rooms.inbound.find_recent_messages(asked, window=ATTRIBUTION_WINDOW) if asked else {}
    attributed = list(interactions)
    for position, (campaign_id, message_id) in found.items():
        index, item = loose[position]
        attributed[index] = replace(item, campaign_id=campaign_id, message_id=message_id)
    return attributed


async def _open_windows(rooms: Rooms, interactions: Sequence[NewInteraction]) -> None:
    windows = [
        (item.contact_id, item.sender_id, item.interaction_time + SERVICE_WINDOW)
        for item in interactions
        if item.contact_id
    ]
    if windows:
        await rooms.inbound.open_windows(windows)


async def _read_opt_outs(
    rooms: Rooms, told: Sequence[Inbound], contexts: dict[str, Found], *, hash_key: bytes
) -> list[ConsentRecord]:
    """Returns the opt-outs, for each contact that such a person is: by number, id and the message they answer."""
    stops = [item for item in told if is_opt_out(item)]
    asked = [(item.person, contexts[item.context].contact_id if item.context in contexts else None) for item in stops]
    found = await rooms.inbound.find_matches(asked) if asked else []
    pairs = zip(stops, found, strict=True)
    return [record for item, matches in pairs for record in _opt_outs(item, matches, hash_key=hash_key)]


def _opt_outs(item: Inbound, matches: Sequence[Known], *, hash_key: bytes) -> list[ConsentRecord]:
    """Makes the records if it is an opt-out; of who is no contact (any more) it is kept by the person's hash alone."""
    person = item.person
    if not is_opt_out(item) or not (matches or person.phone_number or person.whatsapp_user_id):
        return []
    return [
        ConsentRecord(
            contact_id=known.id if known else None,
            person_hash=hash_of(known or person, hash_key=hash_key),
            consent=MarketingConsent.OPTED_OUT,
            source=STOP_BUTTON if item.kind is InteractionKind.BUTTON else STOP_REPLY,
            evidence=item.whatsapp_message_id if known else "",
            event_time=item.interaction_time,
        )
        for known in matches or (None,)
    ]


def _with_hashes(person: Person, hash_key: bytes) -> tuple[Person, bytes | None, bytes | None]:
    phone, user = person.phone_number, person.whatsapp_user_id
    return (
        person,
        person_hash(hash_key, phone) if phone else None,
        person_hash(hash_key, user) if user else None,
    )
