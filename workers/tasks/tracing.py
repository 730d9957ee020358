"""Whom applied deliveries tell of is noted, so that erasure finds them; of who is no contact the body keeps nothing."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.interactions import Person
from core.domain.traces import identities, trace, traces
from core.repositories.deliveries import Applied, Delivery
from core.repositories.inbound import Known
from core.repositories.rooms import Rooms
from core.whatsapp.named import named_in_bytes
from core.whatsapp.redaction import redact
from core.whatsapp.webhooks import Webhook
from workers.tasks.moves import Moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Holds what a batch found out about people: `kept` and `forgotten` are WhatsApp's ids of what was and was not."""

    moved: Moved = field(default_factory=Moved)
    people: Mapping[Person, Known] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
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
    named = {item.id: read[item.id].mentioned if item.id in read else named_in_bytes(item.body) for item in deliveries}
    gone = await _find_erased(rooms, named, hash_key=hash_key)
    done = {delivery_id: Applied(error=error) for delivery_id, error in errors.items()}
    for delivery_id, hook in read.items():
        gone[delivery_id] -= {item.context for item in hook.inbounds if item.whatsapp_message_id in outcome.kept}
        gone[delivery_id] |= _gone(delivery_id, hook, outcome)
        known = _known(delivery_id, hook, outcome) - gone[delivery_id]
        done[delivery_id] = Applied(unknown=hook.unknown, traces=traces(hash_key, known))
    await rooms.deliveries.mark_applied(done)
    await _redact(rooms, deliveries, gone)


async def redact_erased(rooms: Rooms, delivery: Delivery, *, hash_key: bytes) -> None:
    """Takes erased people out of a body that is set aside; whom else it tells of, nobody knows."""
    named = {delivery.id: named_in_bytes(delivery.body)}
    await _redact(rooms, [delivery], await _find_erased(rooms, named, hash_key=hash_key))


async def _redact(rooms: Rooms, deliveries: Sequence[Delivery], gone: Mapping[UUID, Set[str]]) -> None:
    redacted = {item.id: redact(item.body, gone[item.id]) for item in deliveries if gone[item.id]}
    if redacted:
        await rooms.deliveries.redact_deliveries(redacted)


async def _find_erased(rooms: Rooms, named: Mapping[UUID, Set[str]], *, hash_key: bytes) -> dict[UUID, set[str]]:
    """Returns by delivery which of those it names were erased and are not known anew, with WhatsApp's ids of theirs."""
    by_trace = {trace(hash_key, word): word for words in named.values() for word in words}
    found = await rooms.erasure.find_erasures(sorted(by_trace)) if by_trace else {}
    erased = {by_trace[each] for each in found}
    people = [_person(word) for word in erased if not word.startswith("wamid.")]
    anew = await rooms.inbound.find_people(people) if people else {}
    erased.difference_update(word for person in anew for word in identities(person))
    return {delivery_id: erased.intersection(words) for delivery_id, words in named.items()}


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
    for change in hook.identity_changes:
        if change.is_nameless and change.whatsapp_message_id in outcome.forgotten:
            gone.update(identities(change.before))
    for preference in hook.preferences:
        if preference.person not in outcome.people:
            gone.update(identities(preference.person))
    return gone
