"""Whatever the server can write, the client reads and writes back byte for byte, and the other way round."""

import importlib
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import betterproto2
import chappe.v1
import pytest
from chappe_client import v1
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PROTOS = sorted(path.stem for path in Path(chappe.v1.__path__[0]).glob("*_pb2.py"))
DEPTH = 3
# Python's own times: years 1 to 9999, microseconds.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
LONGEST_SECONDS = 86_400 * 365 * 100

NUMBERS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    # Minus zero is the one number the two sides write differently; no field of ours means anything by it.
    FieldDescriptor.CPPTYPE_DOUBLE: st.floats(allow_nan=False).map(lambda number: number + 0.0),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}


def descriptors() -> list[Descriptor]:
    """Lists every message of the contract, nested ones too."""
    files = [importlib.import_module(f"chappe.v1.{name}").DESCRIPTOR for name in PROTOS]
    waiting = [message for file in files for message in file.message_types_by_name.values()]
    found = []
    while waiting:
        descriptor = waiting.pop()
        if not descriptor.GetOptions().map_entry:
            found.append(descriptor)
            waiting += descriptor.nested_types
    return sorted(found, key=lambda each: each.full_name)


def client_name(descriptor: Descriptor) -> str:
    """Returns what the client calls a message: nested names in one word."""
    return descriptor.full_name.removeprefix("chappe.v1.").replace(".", "")


def scalar(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=20)
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return st.text(max_size=20)
    if isinstance(field.enum_type, EnumDescriptor):
        return st.sampled_from([value.number for value in field.enum_type.values])
    return NUMBERS[field.cpp_type]


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = DEPTH) -> Message:
    """Draws a message the server could send."""
    message = message_factory.GetMessageClass(descriptor)()
    if isinstance(message, Timestamp | Duration):
        bounds = (FIRST_SECOND, LAST_SECOND) if isinstance(message, Timestamp) else (0, LONGEST_SECONDS)
        message.seconds = draw(st.integers(*bounds))
        message.nanos = draw(st.integers(0, 999_999)) * 1000
        return message
    for field in descriptor.fields:
        if field.full_name != "google.api.HttpBody.extensions" and draw(st.booleans()):
            fill(draw, message, field, depth)
    return message


def fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    """Sets one field, unless it would nest too deep."""
    nested = field.message_type
    target = getattr(message, field.name)
    if nested is None:
        value = draw(st.lists(scalar(field), max_size=3) if field.is_repeated else scalar(field))
        target.extend(value) if field.is_repeated else setattr(message, field.name, value)
    elif depth == 0:
        return
    elif nested.GetOptions().map_entry:
        fill_map(draw, target, nested, depth)
    elif field.is_repeated:
        target.extend(draw(st.lists(messages(nested, depth - 1), max_size=2)))
    else:
        target.CopyFrom(draw(messages(nested, depth - 1)))
        target.SetInParent()


def fill_map(draw: st.DrawFn, target: MutableMapping[Any, Any], entry: Descriptor, depth: int) -> None:
    """Sets a map's entries."""
    value = entry.fields_by_name["value"]
    for key in draw(st.lists(scalar(entry.fields_by_name["key"]), max_size=3, unique=True)):
        if value.message_type is None:
            target[key] = draw(scalar(value))
        else:
            target[key].CopyFrom(draw(messages(value.message_type, depth - 1)))


@pytest.mark.parametrize("descriptor", descriptors(), ids=client_name)
def test_the_client_reads_and_writes_what_the_server_writes(descriptor: Descriptor) -> None:
    ours: type[betterproto2.Message] = getattr(v1, client_name(descriptor))

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(messages(descriptor))
    def holds(theirs: Message) -> None:
        written = theirs.SerializeToString(deterministic=True)
        read = ours.parse(written)
        assert bytes(read) == written
        assert not read._unknown_fields, "each field has a name on both sides"

    holds()


def test_every_message_of_the_contract_is_met() -> None:
    names = {client_name(descriptor) for descriptor in descriptors()}
    assert {"Contact", "StartCampaignRequest", "ImportContactsResponseReject", "CacheStatsMethodStats"} <= names
    assert len(names) > 80
