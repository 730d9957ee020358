"""The contract keeps its own rules: every rpc says who may and what is cached, every word is spelled one way."""

import importlib
import re
from pathlib import Path

import chappe.v1
import pytest
from chappe.v1 import options_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor, MethodDescriptor

FILES: list[FileDescriptor] = [
    importlib.import_module(f"chappe.v1.{path.stem}").DESCRIPTOR
    for path in sorted(Path(chappe.v1.__path__[0]).glob("*_pb2.py"))
]


def methods() -> list[MethodDescriptor]:
    return [method for file in FILES for service in file.services_by_name.values() for method in service.methods]


def every_message() -> list[Descriptor]:
    found, waiting = [], [message for file in FILES for message in file.message_types_by_name.values()]
    while waiting:
        message = waiting.pop()
        found.append(message)
        waiting += message.nested_types
    return found


def every_enum() -> list[EnumDescriptor]:
    top = [enum for file in FILES for enum in file.enum_types_by_name.values()]
    return top + [enum for message in every_message() for enum in message.enum_types]


def policy(method: MethodDescriptor) -> options_pb2.Policy:
    return method.GetOptions().Extensions[options_pb2.policy]


def by_name(method: MethodDescriptor) -> str:
    return f"{method.containing_service.name}.{method.name}"


def field_at(message: Descriptor, path: str) -> FieldDescriptor:
    """Returns the field a dotted path leads to."""
    first, _, rest = path.partition(".")
    field = message.fields_by_name[first]
    return field_at(field.message_type, rest) if rest and field.message_type else field


every_method = pytest.mark.parametrize("method", methods(), ids=by_name)


@every_method
def test_every_rpc_says_who_may_call_it_and_what_the_cache_may_do(method: MethodDescriptor) -> None:
    assert policy(method).role != options_pb2.ROLE_UNSPECIFIED
    assert policy(method).WhichOneof("access")


@every_method
def test_every_rpc_can_be_called_over_http(method: MethodDescriptor) -> None:
    http = method.GetOptions().Extensions[annotations_pb2.http]
    verb = http.WhichOneof("pattern")
    path = getattr(http, verb)
    assert path.startswith("/v1/")
    for variable in re.findall(r"\{([a-z_.]+)=", path):
        assert field_at(method.input_type, variable).type == FieldDescriptor.TYPE_STRING
    assert (verb == "get") <= (policy(method).WhichOneof("access") != "write"), "a GET changes nothing"


@every_method
def test_a_kept_reply_has_an_age_and_names_what_it_is_made_of(method: MethodDescriptor) -> None:
    access = policy(method).WhichOneof("access")
    if access == "cached":
        cached = policy(method).cached
        assert cached.ttl_seconds > 0
        assert cached.final_ttl_seconds == 0 or cached.final_ttl_seconds > cached.ttl_seconds
        assert cached.collections or cached.campaign_field
        assert not method.server_streaming, "a stream is not kept"
    assert policy(method).uncached.streams == (access == "uncached" and method.server_streaming)


@every_method
def test_a_write_takes_a_request_id_and_names_what_it_changes(method: MethodDescriptor) -> None:
    write = policy(method).WhichOneof("access") == "write"
    assert ("request_id" in method.input_type.fields_by_name) == write
    assert bool(policy(method).write.collections) == write


@every_method
def test_the_campaign_a_policy_speaks_of_is_in_the_request(method: MethodDescriptor) -> None:
    for path in (policy(method).cached.campaign_field, policy(method).write.campaign_field):
        assert not path or field_at(method.input_type, path).type == FieldDescriptor.TYPE_STRING


@every_method
def test_whoever_changes_a_campaign_says_which(method: MethodDescriptor) -> None:
    """Replies about one campaign hear of changes to that campaign alone; a new one had no replies yet."""
    write = policy(method).write
    changes = options_pb2.COLLECTION_CAMPAIGNS in write.collections and method.name != "CreateCampaign"
    assert bool(write.campaign_field) == changes


def test_nine_of_ten_reads_of_data_are_kept() -> None:
    reads = [method for method in methods() if policy(method).WhichOneof("access") != "write"]
    plain = [
        method for method in reads if not policy(method).uncached.streams and not method.name.startswith("Preview")
    ]
    kept = [method for method in plain if policy(method).WhichOneof("access") == "cached"]
    assert len(kept) >= 0.9 * len(plain)


def test_every_enum_begins_with_unspecified_and_prefixes_its_values() -> None:
    for enum in every_enum():
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper()
        assert enum.values[0].number == 0
        assert enum.values[0].name == f"{prefix}_UNSPECIFIED"
        assert all(value.name.startswith(f"{prefix}_") for value in enum.values)


def test_times_and_spans_are_called_so() -> None:
    for message in every_message():
        for field in message.fields:
            kind = field.message_type.full_name if field.message_type else ""
            assert (kind == "google.protobuf.Timestamp") == field.name.endswith("_time"), field.full_name
            assert (kind == "google.protobuf.Duration") == field.name.endswith("_duration"), field.full_name


def test_lists_are_asked_for_and_answered_in_one_shape() -> None:
    for method in methods():
        if method.name.startswith("List"):
            assert {"page_size", "page_token"} <= set(method.input_type.fields_by_name)
            assert method.output_type.fields[0].is_repeated
            assert "next_page_token" in method.output_type.fields_by_name


def test_no_field_is_called_status() -> None:
    words = [field.full_name for message in every_message() for field in message.fields if "status" in field.name]
    assert words == []
