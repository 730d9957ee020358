"""What becomes of webhook bodies within a transaction: whole, or for what people said in them alone."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from core.domain.contacts import ConsentRecord
from core.repositories.deliveries import Delivery
from core.repositories.rooms import Rooms
from core.whatsapp.webhooks import UnreadableBody, Webhook, parse
from workers.tasks.announcements import follow_announcements, keep_account_events
from workers.tasks.choices import keep_choices, move_templates, read_preferences, read_refusals
from workers.tasks.contacts import mark_contacts
from workers.tasks.identities import follow_people
from workers.tasks.moves import Arrived, Moved, move_messages
from workers.tasks.park import tell_parked
from workers.tasks.replies import Kept, find_unknown, keep_replies, prove_opt_outs
from workers.tasks.tracing import Outcome, mark_applied

_log = logging.getLogger(__name__)

# A body of megabytes, which comes alone, is thought about for a second and more between two statements, and where the
# processor is short for longer than a transaction may stand still: taken back, it would come first again, for ever.
_LARGE: Final = 2**20
_LONGEST_THOUGHT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Holds bodies and what they tell; `errors` says of each why it could not be read, nothing where it could."""

    deliveries: Sequence[Delivery]
    hooks: Mapping[UUID, Webhook]
    errors: Mapping[UUID, str]

    @classmethod
    def read(cls, deliveries: Sequence[Delivery]) -> Self:
        """Reads bodies; one that is no JSON object gets an error and is never tried again."""
        hooks: dict[UUID, Webhook] = {}
        errors: dict[UUID, str] = {}
        for delivery in deliveries:
            try:
                hooks[delivery.id] = parse(delivery.body, received=delivery.receive_time)
                errors[delivery.id] = ""
            except UnreadableBody as error:
                errors[delivery.id] = str(error)
        return cls(deliveries=deliveries, hooks=hooks, errors=errors)

    def mixed(self) -> list[UUID]:
        """Returns which bodies tell more than what people said: of messages, templates or accounts."""
        return [
            delivery_id
            for delivery_id, hook in self.hooks.items()
            if hook.receipts or hook.template_events or hook.account_events
        ]

    def announcing(self) -> Self:
        """Returns the batch with those bodies alone that may pause campaigns or let them run on: no replays."""
        others = {
            item.id
            for item in self.deliveries
            if item.is_replay
            or (hook := self.hooks.get(item.id)) is None
            or not (hook.template_events or hook.account_events)
        }
        return self.without(others)

    def without(self, ids: Collection[UUID]) -> Self:
        """Returns the batch without some of its bodies."""
        return replace(
            self,
            deliveries=[item for item in self.deliveries if item.id not in ids],
            hooks={delivery_id: hook for delivery_id, hook in self.hooks.items() if delivery_id not in ids},
            errors={delivery_id: error for delivery_id, error in self.errors.items() if delivery_id not in ids},
        )


async def apply_bodies(rooms: Rooms, batch: Batch, *, now: datetime, hash_key: bytes) -> Moved:
    """Applies claimed bodies with all they tell, and marks them."""
    if not batch.deliveries:
        return Moved()
    await rooms.transactions.enter_by_keys()
    if sum(len(item.body) for item in batch.deliveries) > _LARGE:
        await rooms.transactions.bound_standstill(_LONGEST_THOUGHT)
    fresh = [item.id for item in batch.deliveries if item.id in batch.hooks and not item.is_replay]
    await _follow(rooms, [batch.hooks[delivery_id] for delivery_id in fresh], now=now)
    hooks = list(batch.hooks.values())
    told = batch.hooks.items()
    arrived = [
        Arrived(delivery_id=delivery_id, receipt=receipt) for delivery_id, hook in told for receipt in hook.receipts
    ]
    moved = await move_messages(rooms, arrived, now=now, hash_key=hash_key)
    # Who gave up a number is said to be absent after what receipts of before told of it.
    moving = any(hook.identity_changes for hook in hooks)
    if moving:
        await mark_contacts(rooms, moved.steps, now=now, hash_key=hash_key)
    refused = await read_refusals(rooms, moved.opt_outs(), hash_key=hash_key)
    kept = await _hear(rooms, hooks, refused=refused, now=now, hash_key=hash_key)
    written = {item.whatsapp_message_id for hook in hooks for item in hook.inbounds} - kept.forgotten
    outcome = Outcome(moved=moved, people=kept.people, kept=frozenset(written), forgotten=kept.forgotten)
    await mark_applied(rooms, batch.deliveries, batch.hooks, batch.errors, outcome=outcome, hash_key=hash_key)
    # Last: as long as these rows are held, none of these people is heard who says stop.
    await mark_contacts(rooms, [] if moving else moved.steps, wrote=kept.wrote, now=now, hash_key=hash_key)
    _tell(hooks, moved)
    return replace(moved, answered=kept.answered)


async def hear_bodies(rooms: Rooms, batch: Batch, *, now: datetime, hash_key: bytes) -> Moved:
    """Does for claimed bodies only what people said, and has the rest wait its turn.

    They are applied whole later, as if again: what was heard changes nothing then. Of who is known by nothing but a
    message that a receipt may still tell of, a stop is kept as proof: it counts as soon as that receipt is applied.
    """
    if not batch.deliveries:
        return Moved()
    await rooms.transactions.enter_by_keys()
    unknown = await find_unknown(rooms, [item for hook in batch.hooks.values() for item in hook.inbounds])
    hooks = [
        replace(hook, inbounds=tuple(item for item in hook.inbounds if item not in unknown))
        for hook in batch.hooks.values()
    ]
    proofs = prove_opt_outs(unknown, hash_key=hash_key)
    kept = await _hear(rooms, hooks, refused=proofs, now=now, hash_key=hash_key)
    await rooms.deliveries.mark_heard([item.id for item in batch.deliveries])
    await mark_contacts(rooms, [], wrote=kept.wrote, now=now, hash_key=hash_key)
    return Moved(answered=kept.answered)


async def _hear(
    rooms: Rooms, hooks: Sequence[Webhook], *, refused: Sequence[ConsentRecord], now: datetime, hash_key: bytes
) -> Kept:
    """Keeps what people wrote and chose, with what receipts told of their choices; none waits for a message."""
    inbounds = [inbound for hook in hooks for inbound in hook.inbounds]
    kept = await keep_replies(rooms, inbounds, hash_key=hash_key, now=now) if inbounds else Kept()
    moves = [change for hook in hooks for change in hook.identity_changes if change.whatsapp_message_id in kept.new]
    followed = await follow_people(rooms, moves, hash_key=hash_key, now=now)
    preferences = [preference for hook in hooks for preference in hook.preferences]
    told, people = await read_preferences(rooms, preferences, hash_key=hash_key)
    await keep_choices(rooms, [*refused, *kept.opt_outs, *followed, *told], now=now)
    return replace(kept, people={**kept.people, **people})


async def _follow(rooms: Rooms, hooks: Sequence[Webhook], *, now: datetime) -> None:
    """Notes what became of templates, accounts and numbers; before any message, since campaigns are locked first.

    What is applied again tells of a moment that is over: no campaign is paused or resumed by it.
    """
    templates = [event for hook in hooks for event in hook.template_events]
    accounts = [event for hook in hooks for event in hook.account_events]
    if templates or accounts:
        await keep_account_events(rooms, templates=templates, accounts=accounts, now=now)
    if templates:
        await move_templates(rooms, templates, now=now)
    if templates or accounts:
        is_last = not any(hook.receipts or hook.inbounds or hook.preferences for hook in hooks)
        await follow_announcements(rooms, templates=templates, accounts=accounts, now=now, is_last=is_last)


def _tell(hooks: Sequence[Webhook], moved: Moved) -> None:
    """Logs what was not understood and what was parked; never what it said."""
    unknown: Counter[str] = Counter()
    for hook in hooks:
        unknown.update(hook.unknown)
        unknown.update(f"account event {event.topic} {event.event}".strip() for event in hook.account_events)
    if unknown:
        _log.info("webhooks held what is only counted", extra={"counts": dict(unknown)})
    tell_parked(moved)
