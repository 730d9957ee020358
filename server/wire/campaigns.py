"""Campaigns in the words of the contract, both ways."""

from typing import Final

from chappe.v1 import campaigns_pb2

from core.domain.campaigns import (
    FINAL,
    Audience,
    Campaign,
    CampaignDraft,
    CampaignKind,
    CampaignState,
    UnconfirmedPolicy,
)
from core.domain.errors import Conflict
from server.wire import bindings, names, times

_Campaign = campaigns_pb2.Campaign
# Looked up for each row of a page: asking the descriptor takes ten times as long.
_STATES: Final = {state: _Campaign.State.Value(f"STATE_{state}") for state in CampaignState}
_KINDS: Final = {kind: _Campaign.Kind.Value(f"KIND_{kind}") for kind in CampaignKind}
_POLICIES: Final = {
    policy: _Campaign.UnconfirmedPolicy.Value(f"UNCONFIRMED_POLICY_{policy}") for policy in UnconfirmedPolicy
}


def campaign(written: Campaign) -> campaigns_pb2.Campaign:
    """Writes a campaign."""
    return _Campaign(
        name=names.campaign_name(written.id),
        display_name=written.display_name,
        sender=names.sender_name(written.sender_id),
        template=names.template_name(written.template_id) if written.template_id else "",
        bindings=[bindings.binding(binding) for binding in written.bindings],
        audience=audience(written.audience),
        state=_STATES[written.state],
        kind=_KINDS[written.kind],
        schedule_time=times.timestamp(written.schedule_time),
        messages_per_second=written.messages_per_second or 0,
        unconfirmed_policy=_POLICIES[written.unconfirmed_policy],
        pause_source=_Campaign.PauseSource.Value(f"PAUSE_SOURCE_{written.pause_source or 'UNSPECIFIED'}"),
        pause_reason=written.pause_reason,
        failure_reason=written.failure_reason,
        audience_count=written.audience_count,
        expand_complete_time=times.timestamp(written.expand_complete_time),
        start_time=times.timestamp(written.start_time),
        pause_time=times.timestamp(written.pause_time),
        complete_time=times.timestamp(written.complete_time),
        cancel_time=times.timestamp(written.cancel_time),
        create_time=times.timestamp(written.create_time),
        update_time=times.timestamp(written.update_time),
        etag=str(written.revision),
    )


def audience(written: Audience) -> campaigns_pb2.Audience:
    """Writes whom a campaign reaches."""
    return campaigns_pb2.Audience(
        all_contacts=written.all_contacts,
        categories=[names.category_name(category_id) for category_id in written.category_ids],
        excluded_categories=[names.category_name(category_id) for category_id in written.excluded_category_ids],
    )


def read_campaign(proto: campaigns_pb2.Campaign) -> CampaignDraft:
    """Reads what a caller may say about a new campaign; refuses names that are none with ``NAME_INVALID``."""
    return CampaignDraft(
        display_name=proto.display_name,
        sender_id=names.parse_sender(proto.sender),
        template_id=names.parse_template(proto.template),
        bindings=bindings.read_bindings(proto.bindings),
        audience=read_audience(proto.audience),
        messages_per_second=proto.messages_per_second or None,
        unconfirmed_policy=read_policy(proto.unconfirmed_policy),
    )


def merge_campaign(current: Campaign, proto: campaigns_pb2.Campaign, *, changed: frozenset[str]) -> CampaignDraft:
    """Reads the changed fields from the caller's campaign and takes all others from the current one."""
    merged = campaign(current)
    for field in changed:
        merged.ClearField(field)  # type: ignore[arg-type]  # the stubs know each field by name, we only its text
        _copy_field(proto, merged, field)
    return read_campaign(merged)


def read_audience(proto: campaigns_pb2.Audience) -> Audience:
    """Reads whom a campaign is to reach."""
    return Audience(
        all_contacts=proto.all_contacts,
        category_ids=tuple(names.parse_category(name) for name in proto.categories),
        excluded_category_ids=tuple(names.parse_category(name) for name in proto.excluded_categories),
    )


def read_policy(value: campaigns_pb2.Campaign.UnconfirmedPolicy.ValueType) -> UnconfirmedPolicy:
    """Reads the policy for messages in doubt; none given means HOLD."""
    if not value:
        return UnconfirmedPolicy.HOLD
    return UnconfirmedPolicy(_Campaign.UnconfirmedPolicy.Name(value).removeprefix("UNCONFIRMED_POLICY_"))


def read_state(value: campaigns_pb2.Campaign.State.ValueType) -> CampaignState | None:
    """Reads a filter by state; none given means any."""
    return CampaignState(_Campaign.State.Name(value).removeprefix("STATE_")) if value else None


def is_final(proto: campaigns_pb2.Campaign) -> bool:
    """Tells whether a written campaign is over."""
    return read_state(proto.state) in FINAL


def read_etag(etag: str) -> int | None:
    """Reads the revision a caller saw, None for none; refuses what is no etag of ours with ``ETAG_MISMATCH``."""
    if not etag:
        return None
    if not etag.isascii() or not etag.isdecimal() or len(etag) > len(str(2**62)):
        raise Conflict("ETAG_MISMATCH", "The campaign changed since it was read; read it again.")
    return int(etag)


def _copy_field(source: campaigns_pb2.Campaign, target: campaigns_pb2.Campaign, field: str) -> None:
    only = _Campaign()
    only.CopyFrom(source)
    for descriptor, _ in source.ListFields():
        if descriptor.name != field:
            only.ClearField(descriptor.name)  # type: ignore[arg-type]  # the stubs know each field by name, we only its text
    target.MergeFrom(only)
