"""What should become of one message, told in the words of the design: the machines hold the rows against it."""

from dataclasses import dataclass, field
from uuid import UUID

RANK = {"ACCEPTED": 1, "HELD": 1, "SENT": 2, "FAILED": 3, "DELIVERED": 4, "READ": 5}
UNKNOWN = "OUTCOME_UNKNOWN"
SEEN = ("DELIVERED", "READ")
OPEN = ("PENDING", "SKIPPED", "SENDING", "UNCONFIRMED", "ACCEPTED", "HELD", "SENT")
AGAIN = ("PENDING", "SENDING", "UNCONFIRMED")
# An error that another try some time later may help, and how many seconds later.
PASSING, PASSES_IN = 131000, 300


def rank(state: str, reason: str) -> int:
    """Returns how far WhatsApp's word carried a message; a failure we only presumed is no word."""
    return 0 if reason == UNKNOWN else RANK.get(state, 0)


@dataclass
class Mail:
    """One message as it should be; `answered` is the last attempt whose failure a retry answered."""

    contact_id: UUID
    state: str = "PENDING"
    reason: str = ""
    code: int = 0
    attempt: int = 0
    answered: int = 0
    taken: bool = False
    retried: bool = False
    erased: bool = False
    opted_out: bool = False
    tries: int = 0
    due: float = 0.0
    rivals: set[int] = field(default_factory=set)
    undelivered: set[int] = field(default_factory=set)

    def claim(self) -> None:
        """A worker takes it; who does not want it, or is no more, gets none."""
        assert self.state == "PENDING"
        if self.opted_out:
            self.skip("OPTED_OUT")
        else:
            self.state, self.attempt = "SENDING", self.attempt + 1

    def hear(self, attempt: int, word: str, code: int, *, now: float, live: bool) -> None:
        """A receipt moves forward only; old news of an attempt that was answered is none, unless it was seen.

        Nor is the failure of an attempt that was superseded: the newest one may still arrive.
        """
        if word == "FAILED" and attempt < self.attempt:
            self.undelivered.add(attempt)
        if attempt <= self.answered and word not in SEEN:
            return
        if word == "FAILED" and attempt < self.attempt:
            return
        if word == "FAILED" and code == PASSING and live and self._may_try_again(attempt):
            self.taken = True
            self.retry(due=now + PASSES_IN)
            self.tries = 1
            return
        self.taken = True
        if RANK[word] > rank(self.state, self.reason):
            self.state, self.reason, self.code = word, "UNDELIVERED" if word == "FAILED" else "", code
        elif word == "FAILED" and self.reason == "UNDELIVERED":
            self.code = min(self.code, code)

    def _may_try_again(self, attempt: int) -> bool:
        """A passing failure is answered once, unless somebody may get two messages then, or none is wanted."""
        is_open = self.state in OPEN or self.reason == UNKNOWN
        older = any(rival < attempt for rival in self.rivals)
        return attempt == self.attempt and is_open and self.tries == 0 and not older and not self.erased

    def settle(self, attempt: int, state: str, reason: str, code: int, *, cancelled: bool) -> None:
        """An answer counts for its own attempt only, and never against a receipt; of an older one, an accept counts."""
        if attempt in self.rivals - self.undelivered and attempt < self.attempt:
            self._settle_by_older(attempt, state)
        if attempt != self.attempt or attempt <= self.answered or self.state == "SKIPPED":
            return
        accepted = state in {"ACCEPTED", "HELD"}
        self.taken = self.taken or accepted
        if not self._settles(state, accepted=accepted):
            return
        if state == "PENDING" and cancelled:
            state, reason = "CANCELLED", "CAMPAIGN_CANCELLED"
        self.state, self.reason, self.code = state, reason, code

    def _settle_by_older(self, attempt: int, state: str) -> None:
        """What an older attempt brought is not sent once more, unless that one failed."""
        if state in {"ACCEPTED", "HELD"} and attempt > self.answered and self.state in AGAIN:
            self.state, self.taken = state, True

    def _settles(self, state: str, *, accepted: bool) -> bool:
        match self.state:
            case "SENDING":
                return True
            case "UNCONFIRMED":
                return state != "UNCONFIRMED"
            case "PENDING" | "CANCELLED":
                return accepted
            case "FAILED":
                return accepted and self.reason == UNKNOWN
            case _:
                return False

    def skip(self, reason: str) -> None:
        """It is not to be sent any more, if it still was."""
        if self.state == "PENDING":
            self.state, self.reason = "SKIPPED", reason

    def cancel(self) -> None:
        """Its campaign is cancelled."""
        if self.state == "PENDING":
            self.state, self.reason = "CANCELLED", "CAMPAIGN_CANCELLED"

    def doubt(self) -> None:
        """Its lease has ended."""
        if self.state == "SENDING":
            self.state = "UNCONFIRMED"

    def decide(self, *, again: bool) -> None:
        """Its doubt has lasted too long, or evidence was found."""
        self.state, self.reason = ("PENDING", "") if again else ("FAILED", UNKNOWN)
        if again:
            self.due = 0.0
            self.rivals.add(self.attempt)

    def erase(self) -> None:
        """Its person is no more."""
        self.skip("ERASED")
        if self.state in {"SENDING", "UNCONFIRMED"}:
            self.decide(again=False)
        self.erased = True

    def retry(self, *, due: float = 0.0) -> None:
        """Its failure is answered with another try, not before a time."""
        if self.taken:
            self.answered = self.attempt
            self.rivals.discard(self.attempt)
        elif self.reason == UNKNOWN:
            self.rivals.add(self.attempt)
        self.due, self.tries = due, 0
        self.state, self.reason, self.code, self.taken, self.retried = "PENDING", "", 0, False, True


@dataclass(frozen=True)
class News:
    """One receipt WhatsApp owes us."""

    number: int
    attempt: int
    word: str
    wamid: str
    seconds: int
    code: int = 0


@dataclass
class Flight:
    """One attempt in a worker's hands; `taken` is the WhatsApp id once WhatsApp has it."""

    number: int
    attempt: int
    lease_ends: float
    taken: str = ""
    told: bool = False
