"""Which fields an update changes."""

import pytest
from chappe.v1 import contacts_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from core.domain.errors import InvalidArgument
from server.wire.field_mask import changed_fields

ALLOWED = frozenset({"display_name", "language_code", "attributes"})
CONTACT = contacts_pb2.Contact(name="contacts/1", display_name="Ada")


def test_an_empty_mask_means_the_populated_fields_that_may_change() -> None:
    assert changed_fields(FieldMask(), CONTACT, ALLOWED) == {"display_name"}


def test_a_mask_names_the_fields_even_those_it_empties() -> None:
    assert changed_fields(FieldMask(paths=["language_code"]), CONTACT, ALLOWED) == {"language_code"}


def test_a_star_means_all() -> None:
    assert changed_fields(FieldMask(paths=["*"]), CONTACT, ALLOWED) == ALLOWED


@pytest.mark.parametrize("path", ["name", "create_time", "nonsense", "attributes.city", ""])
def test_any_other_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        changed_fields(FieldMask(paths=["display_name", path]), CONTACT, ALLOWED)
    assert refused.value.reason == "UPDATE_MASK_INVALID"
