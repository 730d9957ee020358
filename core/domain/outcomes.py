"""What came of one attempt to send, and what that makes of the message: the rule of settling, without I/O."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from core.domain.direct import Directed
from core.domain.messages import MessageRef, MessageState, Reason

MAX_TITLE = 200


class ErrorClass(StrEnum):
    """How an error is answered; see core/whatsapp/errors.py for which code is which."""

    RETRY_LATER = "RETRY_LATER"
    THROTTLE = "THROTTLE"
    THROTTLE_PAIR = "THROTTLE_PAIR"
    PERMANENT_RECIPIENT = "PERMANENT_RECIPIENT"
    PERMANENT_TEMPLATE = "PERMANENT_TEMPLATE"
    AUTH = "AUTH"
    ACCOUNT = "ACCOUNT"
    UNKNOWN = "UNKNOWN"
    IGNORED = "IGNORED"


_TRIED_AGAIN = frozenset({ErrorClass.RETRY_LATER, ErrorClass.THROTTLE, ErrorClass.THROTTLE_PAIR})


class Scope(StrEnum):
    """Whose fault an error is, and so how far its effect reaches."""

    NONE = "NONE"
    MESSAGE = "MESSAGE"
    CONTACT = "CONTACT"
    PAIR = "PAIR"
    SENDER = "SENDER"
    TEMPLATE = "TEMPLATE"
    ACCOUNT = "ACCOUNT"
    APP = "APP"
    CREDENTIAL = "CREDENTIAL"


class Effect(StrEnum):
    """What an error changes beyond the message itself."""

    NONE = "NONE"
    SLOW_SENDER = "SLOW_SENDER"
    PAUSE = "PAUSE"
    MARK_ABSENT = "MARK_ABSENT"
    OPT_OUT = "OPT_OUT"
    RESTRICT_COUNTRY = "RESTRICT_COUNTRY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Says what an error means: `delays` are the seconds before each next try; the last one repeats.

    `max_tries` bounds the tries that count; `jitter` spreads a delay over zero to its length; `systematic` errors
    trip the breaker of their campaign; `words` are for the user. What is paused is tried again after `probe_seconds`;
    with 0 not before somebody, or WhatsApp, says so.
    """

    error_class: ErrorClass
    scope: Scope
    words: str
    effect: Effect = Effect.NONE
    delays: tuple[float, ...] = ()
    max_tries: int = 0
    jitter: bool = False
    counts: bool = True
    systematic: bool = False
    probe_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """WhatsApp took the message; `held` says that it waits for a quality check."""

    whatsapp_message_id: str
    held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """WhatsApp answered no; `wait` is how many seconds it asked us to wait, 0 when it asked for nothing."""

    verdict: Verdict
    code: int
    title: str = ""
    details: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """No byte of the message can have left; `delay` is in seconds, `counts` says whether the try is charged."""

    reason: str
    delay: float = 0.0
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The message may have been taken: the answer was lost, or cannot be read."""

    reason: str


Outcome = Accepted | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A message that is ours to send until its lease ends, with what its payload needs; `directed` in a single one."""

    ref: MessageRef
    contact_id: UUID
    retry_count: int
    phone_number: str | None
    whatsapp_user_id: str | None
    parameters: tuple[str, ...]
    directed: Directed | None = None

    def __repr__(self) -> str:
        """Names the message without its person."""
        return f"Claimed({self.ref.message_id}, attempt {self.ref.attempt})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What one attempt makes of its message; `delay` is how many seconds a PENDING one waits."""

    ref: MessageRef
    state: MessageState
    reason: str = ""
    error_code: int = 0
    error_title: str = ""
    whatsapp_message_id: str | None = None
    delay: float = 0.0
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Another try: after how many seconds, and whether the failed one is charged."""

    delay: float
    counts: bool


def next_try(verdict: Verdict, *, attempt: int, retry_count: int, luck: float) -> Retry | None:
    """Returns the try an error is answered with, None when there is none (left); `luck` in [0, 1] spreads the delay.

    `attempt` is the one that failed, `retry_count` how many tries before it were charged.
    """
    if verdict.error_class not in _TRIED_AGAIN or (verdict.counts and retry_count + 1 >= verdict.max_tries):
        return None
    tried = retry_count if verdict.counts else max(0, attempt - 1 - retry_count)
    delay = verdict.delays[min(tried, len(verdict.delays) - 1)]
    return Retry(delay=delay * luck if verdict.jitter else delay, counts=verdict.counts)


def settlement(claimed: Claimed, outcome: Outcome, *, direct: bool, luck: float) -> Settlement:
    """Decides what an attempt makes of its message; `luck` in [0, 1) spreads the retries."""
    match outcome:
        case Accepted():
            state = MessageState.HELD if outcome.held else MessageState.ACCEPTED
            return Settlement(ref=claimed.ref, state=state, whatsapp_message_id=outcome.whatsapp_message_id)
        case Unknown():
            return Settlement(ref=claimed.ref, state=MessageState.UNCONFIRMED)
        case NotSent():
            return Settlement(ref=claimed.ref, state=MessageState.PENDING, delay=outcome.delay, counts=outcome.counts)
        case Refused():
            return _refused(claimed, outcome, direct=direct, luck=luck)


def shut_out(claimed: Claimed, *, code: int, title: str) -> Settlement:
    """Decides that a claimed message does not leave at all: with this code WhatsApp refuses all who live there.

    It has failed with that code as those have that were refused, so that whoever tries these again tries all.
    """
    return Settlement(
        ref=claimed.ref,
        state=MessageState.FAILED,
        reason=Reason.COUNTRY_RESTRICTED,
        error_code=code,
        error_title=title[:MAX_TITLE],
    )


def _refused(claimed: Claimed, outcome: Refused, *, direct: bool, luck: float) -> Settlement:
    verdict = outcome.verdict
    again = next_try(verdict, attempt=claimed.ref.attempt, retry_count=claimed.retry_count, luck=luck)
    if again is not None:
        delay = max(again.delay, outcome.wait)
        return Settlement(ref=claimed.ref, state=MessageState.PENDING, delay=delay, counts=again.counts)
    match verdict.error_class:
        case ErrorClass.UNKNOWN:
            return Settlement(ref=claimed.ref, state=MessageState.UNCONFIRMED)
        case ErrorClass.RETRY_LATER:
            return _failed(claimed, outcome, Reason.RETRIES_EXHAUSTED)
        case ErrorClass.PERMANENT_TEMPLATE | ErrorClass.AUTH | ErrorClass.ACCOUNT if not direct:
            # Not the message's fault: it waits, unharmed, until its campaign goes on.
            return Settlement(ref=claimed.ref, state=MessageState.PENDING)
        case _:
            return _failed(claimed, outcome, Reason.REJECTED)


def _failed(claimed: Claimed, outcome: Refused, reason: Reason) -> Settlement:
    return Settlement(
        ref=claimed.ref,
        state=MessageState.FAILED,
        reason=reason,
        error_code=outcome.code,
        error_title=(outcome.title or outcome.verdict.words)[:MAX_TITLE],
    )
