"""Numbers of messages: how many are where, what counts as having got so far, and when numbers are final."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from core.domain.campaigns import FINAL, Campaign, CampaignState
from core.domain.messages import MessageState

# The scope of the counters that count the whole deployment.
DEPLOYMENT: Final = UUID(int=0)

# How long after a campaign's end hardly a receipt comes any more.
RECEIPT_HORIZON: Final = timedelta(hours=24)

# What a dashboard shows at most.
MOST_LINES: Final = 10

WAITING: Final = frozenset({MessageState.PENDING, MessageState.SENDING})
READ: Final = frozenset({MessageState.READ})
DELIVERED: Final = READ | {MessageState.DELIVERED}
SENT: Final = DELIVERED | {MessageState.SENT}
ACCEPTED: Final = SENT | {MessageState.ACCEPTED, MessageState.HELD}
# What the engine or WhatsApp still has to decide about.
OPEN: Final = WAITING | {MessageState.UNCONFIRMED, MessageState.HELD}
# Where no receipt is waited for.
ENDED: Final = READ | {MessageState.FAILED, MessageState.SKIPPED, MessageState.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts the messages in one state with one error code and, where they were skipped, one reason."""

    state: MessageState
    error_code: int
    count: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCounts:
    """Counts messages by the state they are in now, one that is not in the mapping has none; and those answered."""

    states: Mapping[MessageState, int]
    replied_count: int = 0

    def among(self, states: Iterable[MessageState]) -> int:
        """Counts the messages that are in any of the states."""
        return sum(self.states.get(state, 0) for state in states)

    @property
    def message_count(self) -> int:
        """All messages."""
        return sum(self.states.values())

    @property
    def accepted_count(self) -> int:
        """The messages WhatsApp took and did not fail since."""
        return self.among(ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCount:
    """Counts the messages that failed with one error; code 0 is a failure of our own."""

    error_code: int
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkipCount:
    """Counts the messages skipped for one reason."""

    reason: str
    message_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStats:
    """Holds the numbers of one campaign as they were at ``snapshot_time``."""

    campaign_id: UUID
    counts: MessageCounts
    failures: tuple[FailureCount, ...]
    skips: tuple[SkipCount, ...]
    double_count: int
    final: bool
    snapshot_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStats:
    """Holds the numbers of the whole deployment as they were at ``snapshot_time``."""

    counts: MessageCounts
    failures: tuple[FailureCount, ...]
    double_count: int
    difference_count: int
    snapshot_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLine:
    """Shows one campaign with its counts."""

    campaign: Campaign
    counts: MessageCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Holds what a first screen shows, but for its campaigns."""

    counts: MessageCounts
    failures: tuple[FailureCount, ...]
    campaign_states: Mapping[CampaignState, int]
    accepted_last_hour_count: int
    snapshot_time: datetime


def count_states(tallies: Iterable[Tally], *, replied_count: int = 0) -> MessageCounts:
    """Adds up the tallies by state, beside the number of messages answered."""
    states: dict[MessageState, int] = {}
    for tally in tallies:
        states[tally.state] = states.get(tally.state, 0) + tally.count
    return MessageCounts(states=states, replied_count=replied_count)


def count_failures(tallies: Iterable[Tally]) -> tuple[FailureCount, ...]:
    """Returns the failures by error, most first."""
    failed = [tally for tally in tallies if tally.state is MessageState.FAILED and tally.count]
    ordered = sorted(failed, key=lambda tally: (-tally.count, tally.error_code))
    return tuple(FailureCount(error_code=tally.error_code, message_count=tally.count) for tally in ordered)


def count_skips(tallies: Iterable[Tally]) -> tuple[SkipCount, ...]:
    """Returns the skips by reason, most first."""
    reasons: dict[str, int] = {}
    for tally in tallies:
        if tally.state is MessageState.SKIPPED:
            reasons[tally.reason] = reasons.get(tally.reason, 0) + tally.count
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return tuple(SkipCount(reason=reason, message_count=count) for reason, count in ordered if count)


def is_quiet(state: CampaignState, *, end_time: datetime, at: datetime) -> bool:
    """Tells whether a campaign is over for so long that hardly a receipt will come."""
    return state in FINAL and at - end_time >= RECEIPT_HORIZON


def is_final(state: CampaignState, counts: MessageCounts, *, end_time: datetime, at: datetime) -> bool:
    """Tells whether a campaign's numbers will hardly change: it is over, nothing is open, and no receipt is due."""
    if state not in FINAL or counts.among(OPEN):
        return False
    return counts.among(ENDED) == counts.message_count or is_quiet(state, end_time=end_time, at=at)
