"""Permissions and lifetimes come from the contract, and a gap in it stops the start."""

import pytest
from chappe.v1 import contacts_service_pb2, options_pb2, stats_service_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from core.domain.access import Role
from server.policies import PolicyError, read_policies

STATS = stats_service_pb2.DESCRIPTOR.services_by_name["StatsService"]
CONTACTS = contacts_service_pb2.DESCRIPTOR.services_by_name["ContactsService"]


def service(policy: options_pb2.Policy | None, *, streams: bool = False) -> ServiceDescriptor:
    """Makes a service of one method with that policy."""
    file = descriptor_pb2.FileDescriptorProto(name="made.proto", package="made", syntax="proto3")
    message = file.message_type.add(name="Thing")
    message.field.add(name="name", number=1, type=9, label=1)
    method = file.service.add(name="Things").method.add(
        name="GetThing", input_type=".made.Thing", output_type=".made.Thing"
    )
    method.server_streaming = streams
    if policy is not None:
        method.options.Extensions[options_pb2.policy].CopyFrom(policy)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("made.Things")


def kept(**fields: object) -> options_pb2.Policy:
    defaults = {"ttl_seconds": 5, "collections": [options_pb2.COLLECTION_CONTACTS]}
    cached = options_pb2.CachedRead(**{**defaults, **fields})  # type: ignore[arg-type]
    return options_pb2.Policy(role=options_pb2.ROLE_VIEWER, cached=cached)


GAPS = {
    "no policy": service(None),
    "no role": service(options_pb2.Policy(uncached=options_pb2.UncachedRead())),
    "neither read nor write": service(options_pb2.Policy(role=options_pb2.ROLE_VIEWER)),
    "no lifetime": service(kept(ttl_seconds=0)),
    "no collection": service(kept(collections=[])),
    "unspecified collection": service(kept(collections=[options_pb2.COLLECTION_UNSPECIFIED])),
    "a field that is not there": service(kept(campaign_field="parent.name")),
    "a kept stream": service(kept(), streams=True),
    "a write of nothing": service(options_pb2.Policy(role=options_pb2.ROLE_ADMIN, write=options_pb2.Write())),
}


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_in_the_contract_stops_the_start(gap: str) -> None:
    with pytest.raises(PolicyError, match="GetThing"):
        read_policies([GAPS[gap]])


def test_reads_and_writes_are_told_apart() -> None:
    policies = read_policies([STATS, CONTACTS])
    stats = policies["/chappe.v1.StatsService/GetCampaignStats"].kept
    assert stats is not None
    assert (stats.ttl_seconds, stats.final_ttl_seconds, stats.is_of_campaign) == (2, 3600, True)
    created = policies["/chappe.v1.ContactsService/CreateContact"]
    assert created.role is Role.OPERATOR
    assert created.changed is not None
    assert "contacts" in created.changed.collections


def test_a_reply_about_one_campaign_needs_no_collection() -> None:
    (policy,) = read_policies([service(kept(collections=[], campaign_field="name"))]).values()
    assert policy.kept is not None
    assert (policy.kept.collections, policy.kept.is_of_campaign) == ((), True)


def test_no_write_is_kept() -> None:
    assert not [name for name, policy in read_policies([STATS, CONTACTS]).items() if policy.kept and policy.changed]
