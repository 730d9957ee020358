"""What WhatsApp says happened to a message, and where that leaves it: order and repetition never matter."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from core.domain.messages import MessageRef, MessageState, Reason, ReceiptState, after_receipt

ERROR_OPTED_OUT: Final = 131050

# A receipt for a message we do not have (yet) is tried again after 1, 2, 4 … 60 seconds, for an hour.
PARKED_FOR: Final = timedelta(hours=1)
_LONGEST_PAUSE: Final = 60

# A failure that another try could help is answered with one for so long after it happened, and after the message was
# accepted: nobody waits for it any longer, and a campaign that ended before is not looked at again.
TRIED_AGAIN_FOR: Final = timedelta(hours=24)
TRIED_AGAIN_WITHIN: Final = timedelta(days=7)
# Skipped while it was to be sent again: where its person still does not want it, the next claim says so anew.
_OPEN: Final = frozenset(
    {
        MessageState.PENDING,
        MessageState.SKIPPED,
        MessageState.SENDING,
        MessageState.UNCONFIRMED,
        MessageState.ACCEPTED,
        MessageState.HELD,
        MessageState.SENT,
    }
)


class Price(NamedTuple):
    """Says what WhatsApp counts a message as, and whether it charges for it."""

    is_billable: bool
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Holds one thing WhatsApp told about one message; `reference` is what we had sent along, when it came back.

    `recipients` are the digits and WhatsApp's id of who got it, as far as told; `whatsapp_user_id` is that id alone.
    """

    whatsapp_message_id: str
    state: ReceiptState
    receipt_time: datetime
    reference: MessageRef | None = None
    error_code: int = 0
    error_title: str = ""
    recipients: tuple[str, ...] = field(default=(), repr=False)
    whatsapp_user_id: str = field(default="", repr=False)
    price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Holds all that is told about one attempt of one message: the earliest time of each step, and who got it."""

    reference: MessageRef
    whatsapp_message_id: str
    send_time: datetime | None = None
    deliver_time: datetime | None = None
    read_time: datetime | None = None
    fail_time: datetime | None = None
    error_code: int = 0
    error_title: str = ""
    whatsapp_user_id: str = field(default="", repr=False)
    price: Price | None = None

    @property
    def accept_time(self) -> datetime:
        """Returns the earliest proof that WhatsApp had accepted it."""
        return min(time for time in (self.send_time, self.deliver_time, self.read_time, self.fail_time) if time)

    @property
    def latest_time(self) -> datetime:
        """Returns the time of the last thing told."""
        return max(time for time in (self.send_time, self.deliver_time, self.read_time, self.fail_time) if time)

    @property
    def state(self) -> ReceiptState:
        """Returns the state of the highest rank that was told."""
        if self.read_time:
            return ReceiptState.READ
        if self.deliver_time:
            return ReceiptState.DELIVERED
        return ReceiptState.FAILED if self.fail_time else ReceiptState.SENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Holds where one message stands, as far as receipts move it.

    `failed_attempt` is the last attempt whose failure was answered with another try; 0 when there was none. A rival is
    an older attempt that may have reached somebody; `is_cancelled` tells of the campaign.
    """

    campaign_id: UUID
    message_id: UUID
    sender_id: UUID
    contact_id: UUID | None
    attempt: int
    state: MessageState
    reason: str = ""
    error_code: int = 0
    error_title: str = ""
    whatsapp_message_id: str | None = None
    accept_time: datetime | None = None
    send_time: datetime | None = None
    deliver_time: datetime | None = None
    read_time: datetime | None = None
    fail_time: datetime | None = None
    failed_attempt: int = 0
    retry_count: int = 0
    not_before_time: datetime | None = None
    price: Price | None = None
    has_rival: bool = False
    is_cancelled: bool = False


def collapse(receipts: Iterable[tuple[MessageRef, Receipt]]) -> list[Progress]:
    """Merges receipts into one progress per attempt, in the order in which message rows are locked."""
    merged: dict[tuple[UUID, UUID, int], Progress] = {}
    for reference, receipt in receipts:
        key = (reference.campaign_id, reference.message_id, reference.attempt)
        told = progress(reference, receipt)
        merged[key] = merge(merged[key], told) if key in merged else told
    return [merged[key] for key in sorted(merged)]


def progress(reference: MessageRef, receipt: Receipt) -> Progress:
    """Returns what a single receipt tells."""
    time = receipt.receipt_time
    failed = receipt.state is ReceiptState.FAILED
    return Progress(
        reference=reference,
        whatsapp_message_id=receipt.whatsapp_message_id,
        send_time=time if receipt.state is ReceiptState.SENT else None,
        deliver_time=time if receipt.state is ReceiptState.DELIVERED else None,
        read_time=time if receipt.state is ReceiptState.READ else None,
        fail_time=time if failed else None,
        error_code=receipt.error_code if failed else 0,
        error_title=receipt.error_title if failed else "",
        whatsapp_user_id=receipt.whatsapp_user_id,
        price=receipt.price,
    )


def merge(one: Progress, other: Progress) -> Progress:
    """Returns what both tell together; of several error codes the lowest stands, so that order does not matter."""
    failures = [item for item in (one, other) if item.fail_time]
    failure = min(failures, key=lambda item: (item.error_code, item.error_title), default=one)
    return Progress(
        reference=one.reference,
        whatsapp_message_id=min(one.whatsapp_message_id, other.whatsapp_message_id),
        send_time=earliest(one.send_time, other.send_time),
        deliver_time=earliest(one.deliver_time, other.deliver_time),
        read_time=earliest(one.read_time, other.read_time),
        fail_time=earliest(one.fail_time, other.fail_time),
        error_code=failure.error_code,
        error_title=failure.error_title,
        whatsapp_user_id=max(one.whatsapp_user_id, other.whatsapp_user_id),
        price=dearer(one.price, other.price),
    )


def apply(standing: Standing, told: Progress) -> Standing:
    """Returns where a message stands after what is told; an equal value when nothing is new. Never moves back.

    The failure of a superseded attempt moves nothing.
    """
    if is_superseded(standing, told):
        # The newest attempt may still reach the person: whether the message failed is for that one to tell, or an older
        # failure would show as the end of a message that is on its way, and which of both came last would decide.
        heard = _without_failure(told)
        return _advance(standing, heard) if heard else standing
    return _advance(standing, told)


def _advance(standing: Standing, told: Progress) -> Standing:
    if is_answered(standing, told):
        return standing
    state = after_receipt(standing.state, standing.reason, told.state)
    rises = state is not standing.state or _was_presumed(standing)
    # A second failure adds nothing but, perhaps, a lower code: the choice must not depend on which came first.
    renames = not rises and state is MessageState.FAILED and standing.reason == Reason.UNDELIVERED
    renames = renames and told.state is ReceiptState.FAILED and told.error_code < standing.error_code
    failed = rises and state is MessageState.FAILED
    named = failed or renames
    # WhatsApp's words may hold the number; of who was erased none are kept.
    title = told.error_title if standing.contact_id else ""
    return replace(
        standing,
        state=state,
        reason=(Reason.UNDELIVERED if failed else "") if rises else standing.reason,
        error_code=told.error_code if named else 0 if rises else standing.error_code,
        error_title=title if named else "" if rises else standing.error_title,
        whatsapp_message_id=_whatsapp_message_id(standing, told),
        accept_time=earliest(standing.accept_time, told.accept_time),
        send_time=earliest(standing.send_time, told.send_time),
        deliver_time=earliest(standing.deliver_time, told.deliver_time),
        read_time=earliest(standing.read_time, told.read_time),
        fail_time=earliest(None if _was_presumed(standing) else standing.fail_time, told.fail_time),
        price=dearer(standing.price, told.price),
    )


def may_try_again(standing: Standing, told: Progress, *, now: datetime) -> bool:
    """Tells whether a failure is the newest attempt's, and another one brings no second message, and none too late."""
    is_news = told.state is ReceiptState.FAILED and told.reference.attempt == standing.attempt
    is_news = is_news and not is_answered(standing, told) and _is_recent(standing, told, now=now)
    is_open = standing.state in _OPEN or _was_presumed(standing)
    is_wanted = standing.contact_id is not None and not standing.is_cancelled
    return is_news and is_open and is_wanted and not standing.has_rival


def put_back(standing: Standing, told: Progress, *, counts: bool, not_before_time: datetime) -> Standing:
    """Returns a message that waits for its next attempt: what was told of this one is not its own any more."""
    return replace(
        standing,
        state=MessageState.PENDING,
        reason="",
        error_code=0,
        error_title="",
        whatsapp_message_id=None,
        accept_time=None,
        send_time=None,
        fail_time=None,
        failed_attempt=told.reference.attempt,
        retry_count=standing.retry_count + counts,
        not_before_time=not_before_time,
    )


def is_superseded(standing: Standing, told: Progress) -> bool:
    """Tells whether a newer attempt was begun since the one that is told of."""
    return told.reference.attempt < standing.attempt


def is_answered(standing: Standing, told: Progress) -> bool:
    """Tells whether this is old news of an attempt that failed and was tried again: only a delivery is new then."""
    seen = told.state in {ReceiptState.DELIVERED, ReceiptState.READ}
    return told.reference.attempt <= standing.failed_attempt and not seen


def earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the earlier of two times, as far as they are known."""
    if one is None or (other is not None and other < one):
        return other
    return one


def dearer(one: Price | None, other: Price | None) -> Price | None:
    """Returns the price that is charged, should two be told: so their order does not matter."""
    if one is None or other is None:
        return one or other
    return max(one, other)


def _is_recent(standing: Standing, told: Progress, *, now: datetime) -> bool:
    failed = told.fail_time or now
    # Of a message that was given up as unknown, that moment is the last one at which its campaign was open for certain.
    settled = standing.accept_time or standing.fail_time or failed
    return now - failed <= TRIED_AGAIN_FOR and now - settled <= TRIED_AGAIN_WITHIN


def _without_failure(told: Progress) -> Progress | None:
    """Returns what is told beside a failure; None when that is all."""
    if told.state is ReceiptState.FAILED and told.send_time is None:
        return None
    return replace(told, fail_time=None, error_code=0, error_title="")


def _was_presumed(standing: Standing) -> bool:
    return standing.state is MessageState.FAILED and standing.reason == Reason.OUTCOME_UNKNOWN


def _whatsapp_message_id(standing: Standing, told: Progress) -> str | None:
    """Keeps the id of the newest attempt; WhatsApp's ids hold phone numbers, so an erased person's gets none."""
    if standing.contact_id is None:
        return None
    if is_superseded(standing, told):
        return standing.whatsapp_message_id or told.whatsapp_message_id
    return told.whatsapp_message_id


def pause_before_try(try_count: int) -> timedelta:
    """Returns how long a parked receipt waits before its next try."""
    return timedelta(seconds=min(2 ** min(try_count, 10), _LONGEST_PAUSE))
