"""Why a campaign that is not over does not send, or not faster, in one word; and how long it goes on sending."""

from dataclasses import dataclass

from core.domain.campaigns import CampaignState
from core.domain.senders import SenderState

# From this share of its bound on, it is the bound that a campaign waits for.
_AT_FULL_PACE = 0.8
# While one of these is waited for, or nothing is, messages leave, and the speed says when the last one will.
_MOVING = frozenset({"", "PACE", "THROTTLED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Says what a campaign still has to do; `bound_per_second` is its own pace or its share of its sender's."""

    campaign_state: CampaignState
    sender_state: SenderState
    bound_per_second: float
    is_expanding: bool
    has_due: bool
    has_later: bool
    sending_count: int
    unconfirmed_count: int
    held_count: int


def waiting_reason(backlog: Backlog, *, per_second: float, is_throttled: bool) -> str:
    """Returns the reason in UPPER_SNAKE, empty when nothing holds it up."""
    if backlog.campaign_state in (CampaignState.SCHEDULED, CampaignState.PAUSED):
        return backlog.campaign_state.value
    if backlog.campaign_state is not CampaignState.RUNNING:
        return ""
    if backlog.sender_state is SenderState.PAUSED:
        return "SENDER_PAUSED"
    if backlog.has_due:
        return _pace(backlog, per_second=per_second, is_throttled=is_throttled)
    return _rest(backlog)


def remaining_seconds(backlog: Backlog, *, reason: str, waiting_count: int, per_second: float) -> float | None:
    """Returns how long messages will go on leaving at this speed; None while nothing leaves or more may be planned."""
    if backlog.campaign_state is not CampaignState.RUNNING or backlog.is_expanding or reason not in _MOVING:
        return None
    if not waiting_count:
        return 0.0
    return waiting_count / per_second if per_second else None


def _pace(backlog: Backlog, *, per_second: float, is_throttled: bool) -> str:
    if is_throttled:
        return "THROTTLED"
    return "PACE" if per_second >= backlog.bound_per_second * _AT_FULL_PACE else ""


def _rest(backlog: Backlog) -> str:
    """Nothing can be sent now: what comes first of all that may still change that."""
    if backlog.sending_count:
        return ""
    if backlog.has_later:
        return "RETRIES_WAITING"
    if backlog.is_expanding:
        return "EXPANDING"
    if backlog.unconfirmed_count:
        return "UNCONFIRMED"
    return "HELD" if backlog.held_count else ""
