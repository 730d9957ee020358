"""Campaigns on the wire: what is written is read back, and a merge changes the named fields alone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.bindings import Binding, Source
from core.domain.campaigns import (
    Audience,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    PauseSource,
    UnconfirmedPolicy,
)
from core.domain.errors import Conflict
from core.domain.template_parts import Part
from server.wire import bindings
from server.wire import campaigns as wire

IDS = st.uuids()
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
BINDINGS = st.builds(
    Binding,
    component=st.sampled_from(Part),
    button_index=st.integers(0, 9),
    parameter=TEXTS,
    source=st.sampled_from(Source),
    value=TEXTS,
    default_value=TEXTS,
)
AUDIENCES = st.builds(
    Audience,
    all_contacts=st.booleans(),
    category_ids=st.lists(IDS, max_size=3).map(tuple),
    excluded_category_ids=st.lists(IDS, max_size=3).map(tuple),
)
MOMENTS = st.integers(946_684_800, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
TIMES = st.none() | MOMENTS
CAMPAIGNS = st.builds(
    Campaign,
    id=IDS,
    kind=st.sampled_from(CampaignKind),
    display_name=TEXTS,
    sender_id=IDS,
    template_id=IDS,
    bindings=st.lists(BINDINGS, max_size=3).map(tuple),
    audience=AUDIENCES,
    state=st.sampled_from(CampaignState),
    schedule_time=TIMES,
    messages_per_second=st.none() | st.floats(0.01, 1000),
    unconfirmed_policy=st.sampled_from(UnconfirmedPolicy),
    pause_source=st.sampled_from(PauseSource),
    pause_reason=TEXTS,
    failure_reason=TEXTS,
    expand_complete_time=TIMES,
    audience_count=st.integers(0, 10**9),
    revision=st.integers(1, 10**9),
    start_time=TIMES,
    pause_time=TIMES,
    complete_time=TIMES,
    cancel_time=TIMES,
    create_time=MOMENTS,
    update_time=MOMENTS,
)


def settable(campaign: Campaign) -> CampaignDraft:
    assert campaign.template_id is not None
    return CampaignDraft(
        display_name=campaign.display_name,
        sender_id=campaign.sender_id,
        template_id=campaign.template_id,
        bindings=campaign.bindings,
        audience=campaign.audience,
        messages_per_second=campaign.messages_per_second,
        unconfirmed_policy=campaign.unconfirmed_policy,
    )


@given(CAMPAIGNS)
def test_what_a_caller_may_set_comes_back_as_it_was_written(campaign: Campaign) -> None:
    written = wire.campaign(campaign)
    assert wire.read_campaign(written) == settable(campaign)
    assert wire.read_state(written.state) is campaign.state
    assert wire.read_etag(written.etag) == campaign.revision
    assert wire.is_final(written) == campaign.is_final


@given(CAMPAIGNS, CAMPAIGNS, st.sets(st.sampled_from(["display_name", "bindings", "audience", "unconfirmed_policy"])))
def test_a_merge_takes_the_named_fields_from_the_caller_and_the_others_from_what_is_there(
    current: Campaign, asked: Campaign, changed: set[str]
) -> None:
    merged = wire.merge_campaign(current, wire.campaign(asked), changed=frozenset(changed))
    assert merged == replace(settable(current), **{name: getattr(asked, name) for name in changed})


@given(BINDINGS)
def test_a_binding_comes_back_as_it_was_written(binding: Binding) -> None:
    assert bindings.read_binding(bindings.binding(binding)) == binding


@pytest.mark.parametrize("etag", ["x", "-1", "1.0", "٣", "9" * 30])
def test_an_etag_that_is_none_of_ours_never_matches(etag: str) -> None:
    with pytest.raises(Conflict):
        wire.read_etag(etag)


@given(CAMPAIGNS, CAMPAIGNS)
def test_a_rate_that_is_named_and_not_given_takes_the_bound_away(current: Campaign, asked: Campaign) -> None:
    without = wire.campaign(replace(asked, messages_per_second=None))
    merged = wire.merge_campaign(current, without, changed=frozenset({"messages_per_second"}))
    assert merged == replace(settable(current), messages_per_second=None)
