"""The rules of campaigns: which verb leaves which state, and what a start needs."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.domain import campaigns as rules
from core.domain.bindings import Binding, Source
from core.domain.campaigns import Audience, Campaign, CampaignDraft, CampaignState
from core.domain.errors import InvalidArgument, WrongState
from core.domain.senders import Quality, Sender, SenderState, ThroughputLevel
from core.domain.template_parts import Part, parse_components
from core.domain.templates import Template, TemplateCategory, TemplateState
from core.queries import load

NOW = datetime(2026, 5, 1, tzinfo=UTC)
S = CampaignState

# For every verb, the states it leaves; all others refuse it.
TABLE = {
    "EDITABLE": {S.DRAFT},
    "DELETABLE": {S.DRAFT},
    "STARTABLE": {S.DRAFT, S.SCHEDULED},
    "PAUSABLE": {S.RUNNING},
    "RESUMABLE": {S.PAUSED},
    "CANCELLABLE": {S.DRAFT, S.SCHEDULED, S.RUNNING, S.PAUSED},
    "RETRYABLE": {S.RUNNING, S.PAUSED, S.COMPLETED},
    "EXPANDABLE": {S.RUNNING, S.PAUSED},
    "COMPLETABLE": {S.RUNNING},
    "DUE": {S.SCHEDULED},
}

STATEMENTS = {
    ("campaigns", "update_campaign"): "EDITABLE",
    ("campaigns", "delete_campaign"): "DELETABLE",
    ("campaign_states", "start_campaign"): "STARTABLE",
    ("campaign_states", "schedule_campaign"): "STARTABLE",
    ("campaign_states", "pause_campaign"): "PAUSABLE",
    ("campaign_states", "resume_campaign"): "RESUMABLE",
    ("campaign_states", "cancel_campaign"): "CANCELLABLE",
    ("campaign_states", "start_due_campaigns"): "DUE",
    ("campaign_states", "complete_finished_campaigns"): "COMPLETABLE",
    ("campaign_states", "list_unexpanded_campaigns"): "EXPANDABLE",
    ("expansion", "get_checkpoint"): "EXPANDABLE",
    ("expansion", "move_checkpoint"): "EXPANDABLE",
    ("retries", "reopen_campaign"): "RETRYABLE",
}


@pytest.mark.parametrize("verb", TABLE)
@pytest.mark.parametrize("state", CampaignState)
def test_each_verb_leaves_the_states_it_may_and_no_other(verb: str, state: CampaignState) -> None:
    assert (state in getattr(rules, verb)) == (state in TABLE[verb])


@pytest.mark.parametrize(("place", "verb"), STATEMENTS.items())
def test_a_statement_names_the_states_that_the_rule_names(place: tuple[str, str], verb: str) -> None:
    noun, name = place
    named = re.search(r"\bstate IN \(([^)]*)\)", load(noun)[name])
    assert named
    assert set(re.findall(r"'([A-Z]+)'", named[1])) == getattr(rules, verb)


def test_a_campaign_completes_when_nothing_is_left_to_send_or_to_settle() -> None:
    statement = load("campaign_states")["complete_finished_campaigns"]
    named = re.search(r"counters\.state IN \(([^)]*)\)", statement)
    assert named
    assert set(re.findall(r"'([A-Z]+)'", named[1])) == rules.UNSETTLED_MESSAGE_STATES


@pytest.mark.parametrize("state", [S.COMPLETED, S.CANCELLED, S.FAILED])
def test_no_verb_but_a_retry_leads_on_from_the_end(state: CampaignState) -> None:
    assert make_campaign(state=state).is_final
    assert not any(state in states for verb, states in TABLE.items() if verb != "RETRYABLE")


def test_a_refused_verb_tells_the_state_and_what_would_do() -> None:
    refusal = rules.refuse_verb("STARTABLE", state=S.RUNNING, campaign="campaigns/1", allowed=rules.STARTABLE)
    assert refusal.reason == "CAMPAIGN_NOT_STARTABLE"
    assert refusal.message == "The campaign is RUNNING; only a campaign that is DRAFT or SCHEDULED is startable."
    assert refusal.metadata == {"campaign": "campaigns/1", "state": "RUNNING"}


@pytest.mark.parametrize(("campaign_rate", "sender_rate", "seconds"), [(None, 80, 125), (20, 80, 500), (200, 80, 125)])
def test_sending_takes_as_long_as_the_slower_bound_says(
    campaign_rate: float | None, sender_rate: float, seconds: int
) -> None:
    duration = rules.estimate_duration(sendable_count=10_000, campaign_rate=campaign_rate, sender_rate=sender_rate)
    assert duration == timedelta(seconds=seconds)


def test_a_campaign_with_everything_in_place_has_no_problem() -> None:
    assert problems() == []


def test_each_thing_that_keeps_a_campaign_from_starting_is_told() -> None:
    assert problems(is_reaching=False) == ["AUDIENCE_EMPTY"]
    assert problems(template=make_template(state=TemplateState.PAUSED)) == ["TEMPLATE_NOT_APPROVED"]
    assert problems(campaign=make_campaign(bindings=())) == ["BINDING_MISSING"]
    assert problems(sender=make_sender(state=SenderState.PAUSED)) == ["SENDER_PAUSED"]


def test_an_audience_is_everyone_or_categories_but_not_both() -> None:
    with pytest.raises(InvalidArgument, match="not both"):
        Audience(all_contacts=True, category_ids=(UUID(int=1),)).check()


def test_a_template_of_another_account_is_refused() -> None:
    draft = CampaignDraft(display_name="Spring", sender_id=UUID(int=1), template_id=UUID(int=2))
    with pytest.raises(WrongState, match="another WhatsApp account"):
        rules.check_draft(draft, sender=make_sender(account="other"), template=make_template())


def test_a_draft_may_lack_bindings_but_not_a_name() -> None:
    draft = CampaignDraft(display_name="Spring", sender_id=UUID(int=1), template_id=UUID(int=2))
    assert rules.check_draft(draft, sender=make_sender(), template=make_template()) == draft
    with pytest.raises(InvalidArgument, match="display name"):
        rules.check_draft(
            CampaignDraft(display_name=" ", sender_id=UUID(int=1), template_id=UUID(int=2)),
            sender=make_sender(),
            template=make_template(),
        )


def problems(
    *,
    campaign: Campaign | None = None,
    sender: Sender | None = None,
    template: Template | None = None,
    is_reaching: bool = True,
) -> list[str]:
    found = rules.start_problems(
        campaign=campaign or make_campaign(),
        sender=sender or make_sender(),
        template=template or make_template(),
        is_reaching=is_reaching,
    )
    return [problem.reason for problem in found]


NAME = Binding(component=Part.BODY, parameter="1", source=Source.FIELD, value="display_name")


def make_campaign(*, state: CampaignState = S.DRAFT, bindings: tuple[Binding, ...] = (NAME,)) -> Campaign:
    return Campaign(
        id=UUID(int=9),
        kind=rules.CampaignKind.BULK,
        display_name="Spring",
        sender_id=UUID(int=1),
        template_id=UUID(int=2),
        bindings=bindings,
        audience=Audience(all_contacts=True),
        state=state,
        schedule_time=None,
        messages_per_second=None,
        unconfirmed_policy=rules.UnconfirmedPolicy.HOLD,
        pause_source=rules.PauseSource.NONE,
        pause_reason="",
        failure_reason="",
        expand_complete_time=None,
        audience_count=0,
        revision=1,
        start_time=None,
        pause_time=None,
        complete_time=None,
        cancel_time=None,
        create_time=NOW,
        update_time=NOW,
    )


def make_sender(*, account: str = "200", state: SenderState = SenderState.ACTIVE) -> Sender:
    return Sender(
        id=UUID(int=1),
        display_name="Shop",
        phone_number_id="100",
        whatsapp_account_id=account,
        phone_number="",
        verified_name="",
        credential_reference="",
        state=state,
        pause_reason="",
        quality=Quality.UNKNOWN,
        throughput_level=ThroughputLevel.STANDARD,
        messaging_limit="",
        messages_per_second=80,
        refresh_time=None,
        create_time=NOW,
        update_time=NOW,
    )


def make_template(*, state: TemplateState = TemplateState.APPROVED) -> Template:
    return Template(
        id=UUID(int=2),
        whatsapp_account_id="200",
        whatsapp_template_id="900",
        template_name="spring_sale",
        language_code="en_US",
        template_category=TemplateCategory.MARKETING,
        state=state,
        parameter_format="POSITIONAL",
        components=parse_components([{"type": "BODY", "text": "Hi {{1}}"}]),
        quality="GREEN",
        rejected_reason="",
        sync_time=NOW,
        create_time=NOW,
        update_time=NOW,
    )
