"""Whom applied deliveries tell of is noted, so that erasure finds them; of who is no contact the body keeps nothing."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.interactions import Person
from core.domain.traces import identities, trace, traces
from core.repositories.deliveries import Applied, Delivery
from core.repositories.inbound import Known
from core.repositories.rooms import Rooms
from core.whatsapp.redaction import identities_in, redact
from core.whatsapp.webhooks import Webhook
from workers.tasks.moves import Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Holds what a batch found out about people: `forgotten` are WhatsApp's ids of what was not kept."""

    moved: Moved = field(default_factory=Moved)
    people: Mapping[Person, Known] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()


async def mark_applied(
    rooms: Rooms,
    deliveries: Sequence[Delivery],
    read: Mapping[UUID, Webhook],
    errors: Mapping[UUID, str],
    *,
    outcome: Outcome,
    hash_key: bytes,
) -> None:
    """Marks deliveries as done within the caller's transaction; `errors` has the reason of those that were not read."""
    done = {delivery_id: Applied(error=error) for delivery_id, error in errors.items()}
    for delivery_id, hook in read.items():
        known = _known(delivery_id, hook, outcome)
        done[delivery_id] = Applied(unknown=hook.unknown, traces=traces(hash_key, known))
    await rooms.deliveries.mark_applied(done)
    named = {item.id: read[item.id].mentioned if item.id in read else identities_in(item.body) for item in deliveries}
    erased = await _find_erased(rooms, frozenset[str]().union(*named.values()), hash_key=hash_key)
    gone = {delivery_id: words & erased for delivery_id, words in named.items()}
    for delivery_id, hook in read.items():
        gone[delivery_id] |= _gone(delivery_id, hook, outcome)
    await _redact(rooms, deliveries, gone)


async def redact_erased(rooms: Rooms, deliveries: Sequence[Delivery], *, hash_key: bytes) -> None:
    """Takes erased people out of bodies that are set aside; whom else they tell of, nobody knows."""
    named = {item.id: identities_in(item.body) for item in deliveries}
    erased = await _find_erased(rooms, frozenset[str]().union(*named.values()), hash_key=hash_key)
    await _redact(rooms, deliveries, {delivery_id: words & erased for delivery_id, words in named.items()})


async def _redact(rooms: Rooms, deliveries: Sequence[Delivery], gone: Mapping[UUID, Set[str]]) -> None:
    redacted = {item.id: redact(item.body, gone[item.id]) for item in deliveries if gone.get(item.id)}
    if redacted:
        await rooms.deliveries.redact_deliveries(redacted)


async def _find_erased(rooms: Rooms, named: Set[str], *, hash_key: bytes) -> frozenset[str]:
    """Returns which of those that are named were erased, but for who wrote since and is known anew."""
    by_trace = {trace(hash_key, word): word for word in named}
    found = await rooms.erasure.find_erasures(sorted(by_trace)) if by_trace else {}
    people = [_person(by_trace[each]) for each in found]
    again = await rooms.inbound.find_people(people) if people else {}
    return frozenset(word for person in people if person not in again for word in identities(person))


def _person(word: str) -> Person:
    return Person(phone_number=f"+{word}") if word.isdigit() else Person(whatsapp_user_id=word)


def _known(delivery_id: UUID, hook: Webhook, outcome: Outcome) -> set[str]:
    """Returns whom a body tells of: contacts its receipts are about, people who wrote, and all it merely mentions."""
    known = {str(contact_id) for contact_id in outcome.moved.contacts.get(delivery_id, ())} | hook.mentioned
    people = [item.person for item in hook.inbounds] + [item.person for item in hook.preferences]
    people += [person for change in hook.identity_changes for person in (change.before, change.after)]
    for person in people:
        contact = outcome.people.get(person)
        known.update(identities(person, contact.id if contact else None))
    return known


def _gone(delivery_id: UUID, hook: Webhook, outcome: Outcome) -> set[str]:
    """Returns the words by which to find what a body holds of people who are nobody to us."""
    gone = set(outcome.moved.strangers.get(delivery_id, ()))
    gone.update(item.whatsapp_message_id for item in hook.inbounds if item.whatsapp_message_id in outcome.forgotten)
    for preference in hook.preferences:
        if preference.person not in outcome.people:
            gone.update(identities(preference.person))
    return gone
