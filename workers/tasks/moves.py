"""Receipts move messages: located, merged, applied under lock; then what follows for attempts and contacts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

from core.domain.messages import MessageRef, MessageState
from core.domain.outcomes import next_try
from core.domain.receipts import (
    ERROR_OPTED_OUT,
    PARKED_FOR,
    Progress,
    Receipt,
    Standing,
    apply,
    collapse,
    is_superseded,
    may_try_again,
    pause_before_try,
    put_back,
)
from core.domain.traces import traces
from core.repositories.receipts import Parked
from core.repositories.rooms import Rooms
from core.whatsapp.errors import verdict
from workers.tasks.parked_codec import pack

_AT_ONCE: Final = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """Holds a receipt with the delivery it came in; `expire_time` and whom it tells of are set once it was parked."""

    delivery_id: UUID
    receipt: Receipt
    try_count: int = 0
    expire_time: datetime | None = None
    traces: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Holds one thing told about a message, with where the message stood before and after it."""

    told: Progress
    before: Standing
    after: Standing

    @property
    def is_news(self) -> bool:
        """Whether it tells what was not known before."""
        return self.after != self.before

    @property
    def is_seen(self) -> bool:
        """Whether it tells that the message reached its contact."""
        return self.told.deliver_time is not None or self.told.read_time is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Says what receipts did: each step, how many were parked or given up, and whom each delivery tells of.

    `answered` are the campaigns that replies came to with these receipts.
    `strangers` are WhatsApp's ids of messages to people who are no contacts of ours, or no longer.
    """

    steps: list[Step] = field(default_factory=list)
    parked_count: int = 0
    expired_count: int = 0
    contacts: Mapping[UUID, set[UUID]] = field(default_factory=dict)
    strangers: Mapping[UUID, set[str]] = field(default_factory=dict)
    answered: frozenset[UUID] = frozenset()

    def counted_campaigns(self) -> frozenset[UUID]:
        """Returns the campaigns whose numbers may differ now; an older attempt may be a double and move no message."""
        told = {step.after.campaign_id for step in self.steps if step.is_news or step.before.attempt > 1}
        return self.answered | told

    def failures(self) -> list[Standing]:
        """Returns the messages that these receipts failed; one that is told again is no news, and pauses nothing."""
        failed = [step for step in self.steps if step.after.state is MessageState.FAILED and step.is_news]
        return [step.after for step in failed if step.told.error_code == step.after.error_code]

    @property
    def settled_doubts(self) -> int:
        """How many messages were in doubt until one of these receipts."""
        doubt = MessageState.UNCONFIRMED
        return sum(step.before.state is doubt and step.after.state is not doubt for step in self.steps)

    def first_heard(self) -> list[datetime]:
        """Returns when, by our own clock, WhatsApp had taken those of whose newest attempt it was silent until now."""
        taken, own = MessageState.ACCEPTED, [step for step in self.steps if not is_superseded(step.before, step.told)]
        first = [step.before for step in own if step.before.state is taken and step.after.state is not taken]
        return [before.accept_time for before in first if before.accept_time]

    def opt_outs(self) -> dict[UUID, datetime]:
        """Returns the contacts of whom WhatsApp says that they want no marketing, and since when."""
        told = [step for step in self.steps if step.told.error_code == ERROR_OPTED_OUT]
        # When it failed, which is the same whatever else is told with it.
        return {
            step.after.contact_id: step.told.fail_time or step.told.accept_time
            for step in told
            if step.after.contact_id
        }


def summed(parts: Sequence[Moved]) -> Moved:
    """Returns what several batches did together; whom their deliveries tell of was noted with each."""
    return Moved(
        steps=[step for part in parts for step in part.steps],
        parked_count=sum(part.parked_count for part in parts),
        expired_count=sum(part.expired_count for part in parts),
        answered=frozenset().union(*(part.answered for part in parts)),
    )


async def move_messages(rooms: Rooms, arrived: Sequence[Arrived], *, now: datetime, hash_key: bytes) -> Moved:
    """Applies receipts within the caller's transaction; one without a message is parked, or given up after an hour.

    What they tell of contacts is left to `mark_contacts` (workers/tasks/contacts.py).
    """
    references = await _locate(rooms, arrived)
    told = collapse((ref, item.receipt) for item, ref in zip(arrived, references, strict=True) if ref)
    standings = await _lock(rooms, told)
    steps = _fold(standings, told, now=now)
    await _write(rooms, standings, steps)
    await _note_attempts(rooms, steps)
    found = [standings.get(_key(ref)) if ref else None for ref in references]
    strange = [item for item, standing in zip(arrived, found, strict=True) if standing is None]
    waiting = [item for item in strange if item.expire_time is None or item.expire_time > now]
    parked_count = await _park(rooms, waiting, now=now, hash_key=hash_key)
    contacts, strangers = _whose(arrived, found)
    return Moved(
        steps=steps,
        parked_count=parked_count,
        expired_count=len(strange) - len(waiting),
        contacts=contacts,
        strangers=strangers,
    )


def _whose(
    arrived: Sequence[Arrived], found: Sequence[Standing | None]
) -> tuple[dict[UUID, set[UUID]], dict[UUID, set[str]]]:
    """Tells by delivery whose messages its receipts are about: contacts', or nobody's."""
    contacts: dict[UUID, set[UUID]] = {}
    strangers: dict[UUID, set[str]] = {}
    for item, standing in zip(arrived, found, strict=True):
        if standing is not None and standing.contact_id is not None:
            contacts.setdefault(item.delivery_id, set()).add(standing.contact_id)
        else:
            strangers.setdefault(item.delivery_id, set()).add(item.receipt.whatsapp_message_id)
    return contacts, strangers


async def _locate(rooms: Rooms, arrived: Sequence[Arrived]) -> list[MessageRef | None]:
    """Finds each receipt's message: by what we had sent along, else by WhatsApp's id."""
    bare = sorted({item.receipt.whatsapp_message_id for item in arrived if item.receipt.reference is None})
    found = await rooms.receipts.find_messages(bare) if bare else {}
    by_id = {whatsapp_id: match.reference for whatsapp_id, match in found.items()}
    return [item.receipt.reference or by_id.get(item.receipt.whatsapp_message_id) for item in arrived]


async def _lock(rooms: Rooms, told: Sequence[Progress]) -> dict[tuple[UUID, UUID], Standing]:
    """Locks all messages told of, in key order over all parts."""
    references = list({_key(item.reference): item.reference for item in told}.values())
    standings: dict[tuple[UUID, UUID], Standing] = {}
    for part in _parts(references):
        for standing in await rooms.receipts.lock_messages(part):
            standings[standing.campaign_id, standing.message_id] = standing
    return standings


def _fold(standings: dict[tuple[UUID, UUID], Standing], told: Sequence[Progress], *, now: datetime) -> list[Step]:
    """Applies all that is told, attempt after attempt, to where the messages stand."""
    current = dict(standings)
    steps = []
    for item in told:
        key = _key(item.reference)
        if key in current:
            before, current[key] = current[key], _after(current[key], item, now=now)
            steps.append(Step(told=item, before=before, after=current[key]))
    return steps


def _after(standing: Standing, told: Progress, *, now: datetime) -> Standing:
    """Returns where a message stands after what is told: a failure that passes puts it back for another try."""
    if may_try_again(standing, told, now=now):
        found = verdict(told.error_code, in_receipt=True)
        again = next_try(found, attempt=standing.attempt, retry_count=standing.retry_count, luck=1.0)
        if again is not None:
            later = now + timedelta(seconds=again.delay)
            return put_back(standing, told, counts=again.counts, not_before_time=later)
    return apply(standing, told)


async def _write(rooms: Rooms, standings: dict[tuple[UUID, UUID], Standing], steps: Sequence[Step]) -> None:
    final = {_key(step.told.reference): step.after for step in steps}
    changes = [(standings[key], after) for key, after in final.items() if after != standings[key]]
    for part in _parts(changes):
        await rooms.receipts.move_messages(part)


async def _note_attempts(rooms: Rooms, steps: Sequence[Step]) -> None:
    """Keeps what is known of attempts that are not the message's own any more: two that were accepted are a double."""
    answered = [(step.told, step.before) for step in steps if step.after.failed_attempt > step.before.failed_attempt]
    if answered:
        await rooms.receipts.fail_attempts(answered)
    revived = [
        step.told for step in steps if step.told.reference.attempt <= step.before.failed_attempt and step.is_seen
    ]
    if revived:
        await rooms.receipts.revive_attempts(revived)
    older = [(step.told, step.before) for step in steps if is_superseded(step.before, step.told)]
    if older:
        await rooms.receipts.note_attempts(older)
    newer = [
        (step.told.reference, step.told.accept_time)
        for step in steps
        if step.told.reference.attempt > 1 and not is_superseded(step.before, step.told)
    ]
    if newer:
        await rooms.receipts.prove_doubles(newer)
    if older:
        await rooms.receipts.prove_superseded_doubles([told.reference for told, _ in older])


async def _park(rooms: Rooms, strangers: Sequence[Arrived], *, now: datetime, hash_key: bytes) -> int:
    """Puts receipts aside whose message is not there: its row may come, or it is someone else's; returns how many.

    What tells of a person who was erased waits for nothing.
    """
    whose = [item.traces or traces(hash_key, item.receipt.recipients) for item in strangers]
    told = sorted({each for known in whose for each in known})
    erased = await rooms.erasure.find_erasures(told) if told else {}
    parked = [
        Parked(
            delivery_id=item.delivery_id,
            receipt=pack(item.receipt),
            try_count=item.try_count + 1,
            not_before_time=now + pause_before_try(item.try_count),
            expire_time=item.expire_time or now + PARKED_FOR,
            traces=known,
        )
        for item, known in zip(strangers, whose, strict=True)
        if erased.keys().isdisjoint(known)
    ]
    if parked:
        await rooms.receipts.park_receipts(parked)
    return len(parked)


def _key(reference: MessageRef) -> tuple[UUID, UUID]:
    return reference.campaign_id, reference.message_id


def _parts(whole: Sequence[T]) -> Iterator[Sequence[T]]:
    return (whole[start : start + _AT_ONCE] for start in range(0, len(whole), _AT_ONCE))
