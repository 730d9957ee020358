"""A message's life: its states, which may follow which, and what a receipt makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class MessageState(StrEnum):
    """Where a message stands; a message moves only forward."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    UNCONFIRMED = "UNCONFIRMED"
    ACCEPTED = "ACCEPTED"
    HELD = "HELD"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class Reason(StrEnum):
    """Why a message was skipped, failed or cancelled."""

    OPTED_OUT = "OPTED_OUT"
    NO_WHATSAPP = "NO_WHATSAPP"
    MISSING_VARIABLE = "MISSING_VARIABLE"
    COUNTRY_RESTRICTED = "COUNTRY_RESTRICTED"
    ERASED = "ERASED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    REJECTED = "REJECTED"
    UNDELIVERED = "UNDELIVERED"
    RETRIES_EXHAUSTED = "RETRIES_EXHAUSTED"
    CAMPAIGN_CANCELLED = "CAMPAIGN_CANCELLED"


class ReceiptState(StrEnum):
    """What a receipt says of a message."""

    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Names one attempt to send one message; it travels with the message and comes back in each receipt."""

    campaign_id: UUID
    message_id: UUID
    attempt: int


# An attempt takes a few tenths of a second.
_SOON_SECONDS = 0.5

# How far WhatsApp's own word carries a message. What stands at zero has not been heard of yet.
RANKS: Mapping[MessageState, int] = MappingProxyType(
    {
        MessageState.PENDING: 0,
        MessageState.SENDING: 0,
        MessageState.UNCONFIRMED: 0,
        MessageState.SKIPPED: 0,
        MessageState.CANCELLED: 0,
        MessageState.ACCEPTED: 1,
        MessageState.HELD: 1,
        MessageState.SENT: 2,
        MessageState.FAILED: 3,
        MessageState.DELIVERED: 4,
        MessageState.READ: 5,
    }
)


def seconds_to_look_again(left: float, *, lease_seconds: float) -> float:
    """Returns when to ask again for the end of an attempt whose lease has so many seconds left.

    As long as it has been under way: most are over at once, and who died in the midst of one is waited for to the end.
    """
    return min(left, max(_SOON_SECONDS, lease_seconds - left))


def after_receipt(state: MessageState, reason: str, receipt: ReceiptState) -> MessageState:
    """Returns what a receipt makes of a message: the same in whatever order receipts come.

    A failure stands until the message is seen delivered or read; a failure we only presumed yields to any receipt.
    """
    presumed = state is MessageState.FAILED and reason == Reason.OUTCOME_UNKNOWN
    heard = MessageState(receipt)
    return heard if presumed or RANKS[heard] > RANKS[state] else state
