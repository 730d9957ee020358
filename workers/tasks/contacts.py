"""What receipts tell of the people who got messages: whether they are on WhatsApp, and by which id it knows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from core.domain.contacts import WhatsappState, person_hash
from core.domain.messages import MessageState
from core.domain.outcomes import Effect
from core.domain.traces import trace
from core.repositories.rooms import Rooms
from core.whatsapp.errors import verdict
from workers.tasks.moves import Step


async def mark_contacts(
    rooms: Rooms,
    steps: Sequence[Step],
    *,
    now: datetime,
    hash_key: bytes,
    wrote: Mapping[UUID, datetime] = MappingProxyType({}),
) -> None:
    """Learns who is on WhatsApp; a delivery in the same breath outweighs a failure, and old news tells nothing.

    `wrote` says who wrote, and when: they are on it, too, unless a message to them failed since. For the caller to do
    last: of whom a contact's row is held, a choice cannot be written.
    """
    news = [step for step in steps if step.is_news]
    absent = [step for step in news if step.told.error_code and _is_of_absent(step.told.error_code)]
    reached = [step for step in news if step.is_seen]
    failed = [step for step in absent if step.after.state is MessageState.FAILED]
    states = {step.after.contact_id: (WhatsappState.ABSENT, step.told.latest_time) for step in failed}
    states |= {step.after.contact_id: (WhatsappState.VERIFIED, step.told.latest_time) for step in reached}
    known = {contact_id: told for contact_id, told in states.items() if contact_id is not None}
    for contact_id, time in wrote.items():
        if contact_id not in known or known[contact_id][1] <= time:
            known[contact_id] = (WhatsappState.VERIFIED, time)
    if not known:
        return
    named = {step.after.contact_id: step for step in reached if step.after.contact_id and step.told.whatsapp_user_id}
    nameless = await rooms.receipts.mark_whatsapp_states(known, identified=named.keys() & known.keys())
    if nameless:
        await _learn(rooms, {contact_id: named[contact_id] for contact_id in nameless}, now=now, hash_key=hash_key)


def _is_of_absent(code: int) -> bool:
    return verdict(code, in_receipt=True).effect is Effect.MARK_ABSENT


async def _learn(rooms: Rooms, named: Mapping[UUID, Step], *, now: datetime, hash_key: bytes) -> None:
    """Notes by which ids WhatsApp knows people, so that a stop that tells no number reaches whom we write to.

    Who said stop under such an id before, as another contact or as none, has said it for this contact. The id of
    someone who was erased is not learned anew, unless from what was sent to them since.
    """
    ids = {contact_id: step.told.whatsapp_user_id for contact_id, step in named.items()}
    hashes = [(contact_id, person_hash(hash_key, user_id)) for contact_id, user_id in ids.items()]
    await rooms.consent.honour_kept_opt_outs(hashes, at=now)
    traced = {contact_id: trace(hash_key, user_id) for contact_id, user_id in ids.items()}
    erased = await rooms.erasure.find_erasures(sorted({*traced.values()}))
    learned = {
        contact_id: ids[contact_id]
        for contact_id, step in named.items()
        if traced[contact_id] not in erased or _sent(step) > erased[traced[contact_id]]
    }
    if learned:
        await rooms.inbound.learn_told_user_ids(learned)


def _sent(step: Step) -> datetime:
    return step.after.accept_time or step.told.accept_time
