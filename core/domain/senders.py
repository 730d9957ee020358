"""The rules of senders: our own WhatsApp numbers, whether they may send, and how fast."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

STANDARD_MESSAGES_PER_SECOND = 80.0
HIGH_MESSAGES_PER_SECOND = 1000.0
DEFAULT_CREDENTIAL_REFERENCE = "CHAPPE_WHATSAPP_ACCESS_TOKEN"

SETTABLE_FIELDS = frozenset({"display_name", "credential_reference", "messages_per_second"})


class SenderState(StrEnum):
    """Says whether a sender may send."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class ThroughputLevel(StrEnum):
    """Says how fast WhatsApp lets a number send."""

    STANDARD = "STANDARD"
    HIGH = "HIGH"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Quality(StrEnum):
    """Is WhatsApp's judgement from how people react."""

    UNKNOWN = "UNKNOWN"
    GREEN = "GREEN"
    YELLOW = "YELLOW"
    RED = "RED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Is one of our numbers; ``credential_reference`` names where the access token is kept."""

    id: UUID
    display_name: str
    phone_number_id: str
    whatsapp_account_id: str
    phone_number: str
    verified_name: str
    credential_reference: str
    state: SenderState
    pause_reason: str
    quality: Quality
    throughput_level: ThroughputLevel
    messaging_limit: str
    messages_per_second: float
    refresh_time: datetime | None
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderDraft:
    """Is what a caller may say about a new or changed sender; 0 messages a second means what its level allows."""

    display_name: str = ""
    phone_number_id: str = ""
    whatsapp_account_id: str = ""
    credential_reference: str = ""
    messages_per_second: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderInfo:
    """Is what WhatsApp says about a number."""

    phone_number: str = ""
    verified_name: str = ""
    quality: Quality = Quality.UNKNOWN
    throughput_level: ThroughputLevel = ThroughputLevel.STANDARD
    messaging_limit: str = ""


def with_defaults(draft: SenderDraft) -> SenderDraft:
    """Returns the draft with what its caller left out."""
    return replace(
        draft,
        credential_reference=draft.credential_reference or DEFAULT_CREDENTIAL_REFERENCE,
    )


def level_rate(level: ThroughputLevel) -> float:
    """Returns how many messages a second a number of that level may send."""
    return HIGH_MESSAGES_PER_SECOND if level is ThroughputLevel.HIGH else STANDARD_MESSAGES_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Is how many messages a second a sender may send; `chosen` is what a person set as the most, None for nothing."""

    messages_per_second: float = STANDARD_MESSAGES_PER_SECOND
    chosen: float | None = None
    level: ThroughputLevel = ThroughputLevel.STANDARD

    def choose(self, chosen: float) -> "Rate":
        """Returns what a person's choice makes of it; 0 takes it back. It holds until WhatsApp tells a level below."""
        return replace(self, messages_per_second=chosen or level_rate(self.level), chosen=chosen or None)

    def refresh(self, level: ThroughputLevel) -> "Rate":
        """Returns what the level that WhatsApp told makes of it: as fast as it allows, where nobody chose less."""
        chosen, bound = self._chosen_ever(), level_rate(level)
        return Rate(messages_per_second=min(chosen or bound, bound), chosen=chosen, level=level)

    def _chosen_ever(self) -> float | None:
        """Returns what was chosen, also by a version that did not keep it: then it differs from what this one wrote."""
        bound = level_rate(self.level)
        written = {bound, min(self.chosen or bound, bound)}
        return self.chosen if self.messages_per_second in written else self.messages_per_second
