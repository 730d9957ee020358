"""Whom applied deliveries tell of is noted, so that erasure finds them; of who is no contact the body keeps nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from core.domain.interactions import Person
from core.domain.traces import identities, traces
from core.repositories.deliveries import Applied, Delivery
from core.repositories.inbound import Known
from core.repositories.rooms import Rooms
from core.whatsapp.redaction import redact
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
    redacted = {}
    for item in deliveries:
        gone = _gone(item.id, read[item.id], outcome) if item.id in read else set()
        body = redact(item.body, gone) if gone else None
        if body is not None:
            redacted[item.id] = body
    if redacted:
        await rooms.deliveries.redact_deliveries(redacted)


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
