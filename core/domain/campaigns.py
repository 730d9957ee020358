"""The rules of campaigns: their states, which verb leaves which, and what a start needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.domain.bindings import Binding
from core.domain.errors import InvalidArgument, Refusal, WrongState
from core.domain.senders import Sender, SenderState
from core.domain.templates import Template, TemplateState


class CampaignState(StrEnum):
    """Says where a campaign is in its life."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"


class CampaignKind(StrEnum):
    """Says what a campaign is made for: an audience, or a sender's single messages."""

    BULK = "BULK"
    DIRECT = "DIRECT"


class PauseSource(StrEnum):
    """Says who or what paused a campaign."""

    NONE = ""
    USER = "USER"
    TEMPLATE = "TEMPLATE"
    SENDER = "SENDER"
    ACCOUNT = "ACCOUNT"
    CREDENTIAL = "CREDENTIAL"
    BREAKER = "BREAKER"


class UnconfirmedPolicy(StrEnum):
    """Says what happens to a message whose fate stays unknown after every deadline."""

    RESEND = "RESEND"
    HOLD = "HOLD"


EDITABLE = frozenset({CampaignState.DRAFT})
DELETABLE = frozenset({CampaignState.DRAFT})
STARTABLE = frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED})
DUE = frozenset({CampaignState.SCHEDULED})
PAUSABLE = frozenset({CampaignState.RUNNING})
RESUMABLE = frozenset({CampaignState.PAUSED})
CANCELLABLE = frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED})
EXPANDABLE = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})
COMPLETABLE = frozenset({CampaignState.RUNNING})
FINAL = frozenset({CampaignState.COMPLETED, CampaignState.CANCELLED, CampaignState.FAILED})

# A campaign is complete when none of its messages can still be sent or is in doubt.
UNSETTLED_MESSAGE_STATES = frozenset({"PENDING", "SENDING", "UNCONFIRMED"})

# Fields of a campaign that may change at any time; all others only in a draft.
LIVE_FIELDS = frozenset({"display_name", "messages_per_second"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Selects the contacts a campaign reaches: all, or those in any of the categories; none in an excluded one."""

    all_contacts: bool = False
    category_ids: tuple[UUID, ...] = ()
    excluded_category_ids: tuple[UUID, ...] = ()

    def check(self) -> None:
        """Refuses all contacts together with categories."""
        if self.all_contacts and self.category_ids:
            raise InvalidArgument("AUDIENCE_INVALID", "An audience is all contacts or categories, not both.")

    @property
    def is_empty(self) -> bool:
        """Tells whether it selects nobody by what it says."""
        return not self.all_contacts and not self.category_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignDraft:
    """Is what a caller may say about a campaign; a rate of None means the sender's alone."""

    display_name: str = ""
    sender_id: UUID
    template_id: UUID
    bindings: tuple[Binding, ...] = ()
    audience: Audience = Audience()
    messages_per_second: float | None = None
    unconfirmed_policy: UnconfirmedPolicy = UnconfirmedPolicy.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Is one template sent to one audience; ``revision`` counts changes, ``audience_count`` planned messages."""

    id: UUID
    kind: CampaignKind
    display_name: str
    sender_id: UUID
    template_id: UUID | None
    bindings: tuple[Binding, ...]
    audience: Audience
    state: CampaignState
    schedule_time: datetime | None
    messages_per_second: float | None
    unconfirmed_policy: UnconfirmedPolicy
    pause_source: PauseSource
    pause_reason: str
    failure_reason: str
    expand_complete_time: datetime | None
    audience_count: int
    revision: int
    start_time: datetime | None
    pause_time: datetime | None
    complete_time: datetime | None
    cancel_time: datetime | None
    create_time: datetime
    update_time: datetime

    @property
    def is_final(self) -> bool:
        """Tells whether no verb leads on from its state."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedCampaigns:
    """Says what became of the SCHEDULED campaigns that were due."""

    started: tuple[UUID, ...]
    failed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedPage:
    """Says what one page of an expansion did: rows made by it, rows made in all, and whether no page is left."""

    inserted: int
    audience_count: int
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceCounts:
    """Counts an audience and, by reason, whom a start would skip."""

    audience_count: int
    skips: tuple[tuple[str, int], ...]

    @property
    def sendable_count(self) -> int:
        """Returns how many would be sent."""
        return self.audience_count - sum(count for _, count in self.skips)


def refuse_verb(verb: str, *, state: CampaignState, campaign: str, allowed: frozenset[CampaignState]) -> WrongState:
    """Returns the refusal of a verb that the campaign's state does not allow; ``verb`` is like STARTABLE."""
    states = " or ".join(sorted(allowed))
    text = f"The campaign is {state}; only a campaign that is {states} is {verb.lower()}."
    return WrongState(f"CAMPAIGN_NOT_{verb}", text, campaign=campaign, state=state)


def estimate_duration(*, sendable_count: int, campaign_rate: float | None, sender_rate: float) -> timedelta:
    """Returns how long sending takes at the slower of both rates, in messages a second."""
    rate = min(campaign_rate, sender_rate) if campaign_rate else sender_rate
    return timedelta(seconds=sendable_count / rate)


def start_problems(*, campaign: Campaign, sender: Sender, template: Template, missing: Sequence[str]) -> list[Refusal]:
    """Returns all that a start would be refused for, except the state: what preview shows and start raises.

    ``missing`` names the parameters that have no binding.
    """
    problems: list[Refusal] = []
    if campaign.audience.is_empty:
        problems.append(WrongState("AUDIENCE_EMPTY", "The campaign's audience selects nobody."))
    if template.state is not TemplateState.APPROVED:
        text = f"The template is {template.state}; only an APPROVED one may be sent."
        problems.append(
            WrongState("TEMPLATE_NOT_APPROVED", text, template=f"templates/{template.id}", state=template.state)
        )
    if missing:
        text = f"No value is bound to {', '.join(missing)}."
        problems.append(WrongState("BINDING_MISSING", text, parameters=", ".join(missing)))
    if sender.state is SenderState.PAUSED:
        problems.append(WrongState("SENDER_PAUSED", "The campaign's sender is paused.", sender=f"senders/{sender.id}"))
    return problems
