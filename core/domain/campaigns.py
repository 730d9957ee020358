"""The rules of campaigns: their states, which verb leaves which, and what a start needs."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from core.domain.bindings import Binding, describe, find_unbound, match_bindings
from core.domain.errors import InvalidArgument, Refusal, WrongState
from core.domain.senders import Sender, SenderState
from core.domain.template_parts import Parameter, RenderedMessage
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
# An automatic pause may be taken over, too; a user's own pause is no state to pause again.
PAUSABLE = frozenset({CampaignState.RUNNING})
RESUMABLE = frozenset({CampaignState.PAUSED})
CANCELLABLE = frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.RUNNING, CampaignState.PAUSED})
RETRYABLE = frozenset({CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.COMPLETED})
EXPANDABLE = frozenset({CampaignState.RUNNING, CampaignState.PAUSED})
COMPLETABLE = frozenset({CampaignState.RUNNING})
FINAL = frozenset({CampaignState.COMPLETED, CampaignState.CANCELLED, CampaignState.FAILED})

# A campaign is complete when none of its messages can still be sent or is in doubt.
UNSETTLED_MESSAGE_STATES = frozenset({"PENDING", "SENDING", "UNCONFIRMED"})

# Fields of a campaign that may change at any time; all others only in a draft.
LIVE_FIELDS = frozenset({"display_name", "messages_per_second"})
SETTABLE_FIELDS = LIVE_FIELDS | {"sender", "template", "bindings", "audience", "unconfirmed_policy"}


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
class MissingVariable:
    """Counts the contacts without a value for one parameter; ``value`` names where it was looked for."""

    parameter: Parameter
    value: str
    contact_count: int


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
        """Tells whether no verb leads on from its state, but a retry of what failed."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedCampaigns:
    """Says what became of the SCHEDULED campaigns that were due."""

    started: tuple[UUID, ...]
    failed: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedPage:
    """Says what one page of an expansion did: how many rows it made, and whether no page is left."""

    inserted: int
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPreview:
    """Shows what a start would do; ``problems`` are what it would be refused for."""

    counts: AudienceCounts
    missing_variables: tuple[MissingVariable, ...]
    samples: tuple[RenderedMessage, ...]
    send_duration: timedelta
    problems: tuple[Refusal, ...]


def refuse_verb(verb: str, *, state: CampaignState, campaign: str, allowed: frozenset[CampaignState]) -> WrongState:
    """Returns the refusal of a verb that the campaign's state does not allow; ``verb`` is like STARTABLE."""
    states = " or ".join(sorted(allowed))
    text = f"The campaign is {state}; only a campaign that is {states} is {verb.lower()}."
    return WrongState(f"CAMPAIGN_NOT_{verb}", text, campaign=campaign, state=state)


def check_editable(campaign: Campaign) -> None:
    """Refuses with ``CAMPAIGN_NOT_EDITABLE`` a campaign of which only the live fields may change."""
    if campaign.state not in EDITABLE:
        name = f"campaigns/{campaign.id}"
        raise refuse_verb("EDITABLE", state=campaign.state, campaign=name, allowed=EDITABLE)


def estimate_duration(*, sendable_count: int, campaign_rate: float | None, sender_rate: float) -> timedelta:
    """Returns how long sending takes at the slower of both rates, in messages a second."""
    rate = min(campaign_rate, sender_rate) if campaign_rate else sender_rate
    return timedelta(seconds=sendable_count / rate)


def start_problems(*, campaign: Campaign, sender: Sender, template: Template, is_reaching: bool) -> list[Refusal]:
    """Returns all that a start now would be refused for, except the state: what preview shows and start raises.

    ``is_reaching`` tells whether the audience holds anybody.
    """
    problems: list[Refusal] = []
    if not is_reaching:
        problems.append(WrongState("AUDIENCE_EMPTY", "The campaign's audience selects nobody."))
    if template.state is not TemplateState.APPROVED:
        text = f"The template is {template.state}; only an APPROVED one may be sent."
        name = f"templates/{template.id}"
        problems.append(WrongState("TEMPLATE_NOT_APPROVED", text, template=name, state=template.state))
    if unbound := find_unbound(campaign.bindings, template.parameters):
        names = ", ".join(describe(parameter.key) for parameter in unbound)
        problems.append(WrongState("BINDING_MISSING", f"No value is bound to {names}.", parameters=names))
    if sender.state is SenderState.PAUSED:
        text = "The campaign's sender is paused; resume it first."
        problems.append(WrongState("SENDER_PAUSED", text, sender=f"senders/{sender.id}"))
    return problems


def check_template(template: Template) -> None:
    """Refuses with ``TEMPLATE_NOT_APPROVED`` a template that WhatsApp will not take again."""
    if template.state in (TemplateState.DISABLED, TemplateState.DELETED):
        text = f"WhatsApp has {template.state.lower()} the template for good; make a campaign with another one."
        raise WrongState("TEMPLATE_NOT_APPROVED", text, template=f"templates/{template.id}", state=template.state)


def check_draft(draft: CampaignDraft, *, sender: Sender, template: Template) -> CampaignDraft:
    """Returns the draft with its bindings in the template's order; refuses what can never be sent."""
    if not draft.display_name.strip():
        raise InvalidArgument("DISPLAY_NAME_MISSING", "A campaign needs a display name.")
    draft.audience.check()
    if template.whatsapp_account_id != sender.whatsapp_account_id:
        text = "The template belongs to another WhatsApp account than the sender."
        raise WrongState(
            "TEMPLATE_OF_OTHER_ACCOUNT", text, template=f"templates/{template.id}", sender=f"senders/{sender.id}"
        )
    return replace(draft, bindings=match_bindings(draft.bindings, template.parameters))
